"""Which connections the gateway makes, to where, how many, and when they end."""

import asyncio
import socket
import ssl
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from arena.battles.gateway import RECEIVE_BUFFER, Gateway
from arena.battles.gateway import Endpoint as Address
from arena.teams.addresses import refusal
from tests.battles.asking import HASTY, PATIENT, QUESTION, RULES, address, answered, with_gateway
from tests.battles.endpoint import Answering, Endpoint, endpoint, gated, mute
from tests.battles.faults import FAULTS, UNENDING
from tests.support import eventually


@pytest.fixture
def team() -> Iterator[Endpoint]:
    with endpoint() as played:
        yield played


def test_an_endpoint_that_is_not_there_is_unreachable(team: Endpoint) -> None:
    gone = address(team)
    with endpoint() as other:
        gone = address(other)
    assert answered(gone) == ("unreachable", [])


def test_an_address_that_cannot_be_resolved_is_unreachable(team: Endpoint) -> None:
    assert answered(address(team, base_url="http://team.invalid/v1")) == ("unreachable", [])


def test_an_endpoint_whose_queue_of_connections_is_full_gives_no_first_token() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as queue:
        for _ in range(3):
            waiting = queue.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(listener.getsockname())
        full = Address(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", "m", None, {})
        assert answered(full, HASTY) == ("no_first_token", [])


def test_a_redirect_is_not_followed(team: Endpoint) -> None:
    team.scripts["team"] = FAULTS["redirect"][0]
    assert answered(address(team)) == ("refused", [])
    assert [asked.team for asked in team.asked] == ["team"]


def test_a_proxy_of_the_environment_is_not_used(team: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    assert answered(address(team))[0] == "complete"


def test_an_answer_that_nobody_asked_for_is_not_taken_for_that_of_another_entry(team: Endpoint) -> None:
    lied = threading.Event()

    async def lying(answer: Answering) -> None:
        await FAULTS["one chunk"][0](answer)
        await answer.end()
        await answer.gate.wait()
        await FAULTS["one chunk"][0](answer)
        lied.set()
        await answer.hang()

    team.scripts["liar"] = lying

    async def use(gateway: Gateway) -> None:
        liar, pieces = address(team, base_url=f"{team.origin}/liar/v1"), list[str]()
        assert await gateway.stream(liar, QUESTION, RULES, PATIENT, lambda _text: None) == "complete"
        team.open_gate()
        assert await asyncio.to_thread(lied.wait, 10)
        assert await gateway.stream(address(team), QUESTION, RULES, PATIENT, pieces.append) == "complete"
        assert "".join(pieces) == "안녕하세요, 반가워요."

    with_gateway(use)


def test_a_greedy_endpoint_lets_others_have_their_turn_after_little_text(team: Endpoint) -> None:
    team.default = UNENDING["endless words"][0]
    turn = 0
    fed: Counter[int] = Counter()

    async def others() -> None:
        nonlocal turn
        while True:
            await asyncio.sleep(0)
            turn += 1

    def feed(text: str) -> None:
        fed[turn] += len(text.encode())

    async def use(gateway: Gateway) -> None:
        waiting = asyncio.create_task(others())
        await gateway.stream(address(team), QUESTION, RULES, PATIENT, feed)
        waiting.cancel()

    with_gateway(use)
    assert max(fed.values()) <= 2 * RECEIVE_BUFFER


def test_one_host_gets_no_more_connections_than_its_share(team: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arena.battles.gateway.CONNECTIONS", 2)
    team.default = gated("", "네")

    async def use(gateway: Gateway) -> None:
        asking = [
            asyncio.create_task(gateway.stream(address(team), QUESTION, RULES, PATIENT, lambda _text: None))
            for _ in range(5)
        ]
        assert await asyncio.to_thread(eventually, lambda: team.active == 2)
        team.open_gate()
        assert await asyncio.gather(*asking) == ["complete"] * 5

    with_gateway(use)
    assert team.connections == 2


def elsewhere(team: Endpoint, host: str) -> Address:
    """The same port at another host."""
    return address(team, base_url=f"{team.origin.replace('127.0.0.1', host)}/team/v1")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST.", "[::ffff:127.0.0.1]", "0x7f.1", "0.0.0.0"])
@pytest.mark.parametrize("allow", [[], ["10.0.0.0/8", "models.internal"]])
def test_an_inward_address_is_never_connected_to(team: Endpoint, host: str, allow: list[str]) -> None:
    assert answered(elsewhere(team, host), allow=allow) == ("unreachable", [])
    assert team.connections == 0


@pytest.mark.parametrize(
    ("host", "allow"),
    [("127.0.0.1", ["127.0.0.1"]), ("localhost", ["127.0.0.0/8", "::1"]), ("localhost", ["LocalHost"])],
)
def test_what_the_operator_named_is_connected_to(team: Endpoint, host: str, allow: list[str]) -> None:
    assert answered(elsewhere(team, host), allow=allow)[0] == "complete"


def test_a_name_that_has_moved_inwards_since_it_was_saved_is_unreachable(
    team: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = iter(["8.8.8.8", "127.0.0.1"])

    def look_up(host: str, port: int | None, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(found), port or 0))]

    moving = elsewhere(team, "team.example")
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert refusal(moving.base_url, []) is None
    assert answered(moving, allow=[]) == ("unreachable", [])
    assert (list(found), team.connections) == ([], 0)


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    pair = tmp_path / "pair.pem"
    new = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout pair.pem -out certificate.pem"
    )
    subprocess.run(new.split(), cwd=tmp_path, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "certificate.pem", pair)
    with endpoint(tls=context) as team:
        assert answered(address(team, base_url=f"{team.origin}/team/v1")) == ("unreachable", [])
    assert team.asked == []


def test_a_cancelled_answer_closes_the_connection(team: Endpoint) -> None:
    team.default = gated("여기", "끝")

    async def use(gateway: Gateway) -> None:
        heard = asyncio.Event()
        asking = asyncio.create_task(
            gateway.stream(address(team), QUESTION, RULES, PATIENT, lambda _text: heard.set())
        )
        await heard.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await asyncio.to_thread(eventually, lambda: team.cut == 1)

    with_gateway(use)
    assert team.active == 0


def test_fifty_cancelled_answers_close_fifty_connections(team: Endpoint) -> None:
    team.default = mute

    async def use(gateway: Gateway) -> None:
        asking = [
            asyncio.create_task(gateway.stream(address(team), QUESTION, RULES, PATIENT, lambda _text: None))
            for _ in range(50)
        ]
        assert await asyncio.to_thread(eventually, lambda: team.active == 50)
        for task in asking:
            task.cancel()
        await asyncio.wait(asking)
        assert await asyncio.to_thread(eventually, lambda: team.cut == 50)

    with_gateway(use)


async def end_later(answer: Answering) -> None:
    """As servers do: the answer's last bytes come after `[DONE]`."""
    await answer.begin()
    await answer.say("네")
    await answer.finish()
    await asyncio.sleep(0.01)


def test_connections_are_reused_after_good_answers(team: Endpoint) -> None:
    team.default = end_later

    async def use(gateway: Gateway) -> None:
        for _ in range(5):
            assert await gateway.stream(address(team), QUESTION, RULES, PATIENT, lambda _text: None) == "complete"

    with_gateway(use)
    assert (len(team.asked), team.connections) == (5, 1)


def test_two_hundred_endpoints_that_say_nothing_hold_up_nobody(team: Endpoint) -> None:
    team.scripts["mute"] = mute

    async def use(gateway: Gateway) -> None:
        silent = address(team, base_url=f"{team.origin}/mute/v1")
        waiting = [
            asyncio.create_task(gateway.stream(silent, QUESTION, RULES, PATIENT, lambda _text: None))
            for _ in range(200)
        ]
        assert await asyncio.to_thread(eventually, lambda: team.active == 200)
        assert await gateway.stream(address(team), QUESTION, RULES, PATIENT, lambda _text: None) == "complete"
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)

    with_gateway(use)
