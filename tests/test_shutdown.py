"""SIGTERM and Ctrl-C with open streams: the server ends, and what was streaming goes on after the restart."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from arena.db import Database
from arena.settings import Settings
from tests.battles.endpoint import Endpoint, endpoint, gated
from tests.battles.stage import Listener, Stage
from tests.processes import arena_command
from tests.support import Citizen, eventually, open_round, round_file, settings_for

SIGNALS = [signal.SIGTERM, signal.SIGINT]
ENDS_WITHIN_S = 30  # far above the product's own 3 s, so that a busy machine does not fail it; a hang does


@pytest.fixture
def team() -> Iterator[Endpoint]:
    with endpoint(gated("시작 ", "끝")) as played:
        yield played


@pytest.fixture
def settings(sqlite_url: str, team: Endpoint) -> Settings:
    db = Database(sqlite_url)
    open_round(db, round_file(team.origin, deadlines={"first_token_s": 60, "idle_s": 60, "total_s": 120}))
    db.close()
    return settings_for(sqlite_url)


@pytest.mark.parametrize("number", SIGNALS)
def test_serve_ends_with_streams_open_and_they_go_on_after_the_restart(
    settings: Settings, team: Endpoint, tmp_path: Path, number: signal.Signals
) -> None:
    with arena_command(tmp_path / "log", "serve", settings=settings) as served:
        minji, junho = Citizen(served.origin), Citizen(served.origin)
        paths = [minji.ask(), junho.ask()]
        readers = [Listener(minji, paths[0]), Listener(minji, paths[0]), Listener(junho, paths[1])]
        assert eventually(lambda: all("시작" in reader.played.b for reader in readers))
        served.end(number, ENDS_WITHIN_S)
        for reader in readers:
            reader.finish()
        assert b"Traceback" not in served.log.read_bytes()
    assert eventually(lambda: team.cut == 4)
    db = Database(settings.database)
    stage = Stage(served.origin, db, settings)
    assert [stage.turn(path).state for path in paths] == ["paused", "paused"]
    assert [answer.text for path in paths for answer in stage.answers(path)] == ["시작 "] * 4
    team.open_gate()
    with arena_command(tmp_path / "log", "serve", settings=settings) as again:
        for citizen, path in ((minji, paths[0]), (junho, paths[1])):
            back = Citizen(again.origin)
            back.http.cookies.update(citizen.http.cookies)
            assert Listener(back, path).finish().outcome == "complete"
            assert back.vote(path).status_code == 303
            back.close()
            citizen.close()
        again.end(number, ENDS_WITHIN_S)
    db.close()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_demo_ends_with_streams_open_and_leaves_nothing_behind(
    tmp_path: Path, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    with arena_command(tmp_path / "log", "demo") as demo:
        minji = Citizen(demo.origin)
        reader = Listener(minji, minji.ask())
        assert eventually(lambda: bool(reader.played.a))
        demo.end(number, ENDS_WITHIN_S)
        reader.finish()
        minji.close()
        assert b"Traceback" not in demo.log.read_bytes()
    assert list((tmp_path / "tmp").iterdir()) == []
