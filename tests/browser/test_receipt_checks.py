"""The check of a receipt in a browser computes rightly, and is loud about anything that was tampered with."""

import base64
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Route, expect

from arena.proofs.leaves import commitment
from arena.proofs.merkle import consistency_proof, in_memory, inclusion_proof, leaf_hash
from arena.proofs.merkle import root as root_of
from arena.proofs.notes import Checkpoint, SigningKey, promise_text
from tests.browser.conftest import Site, Visit
from tests.browser.receipts import FINE, FIRST, File, check, opens, placed_receipt, size, tamper, verdict
from tests.browser.visitor import Visitor
from tests.support import KEY, Citizen, eventually

OTHER = SigningKey("arena.example", bytes(32))
ORIGIN = "arena.example/rounds/stage-1"


@pytest.fixture(scope="module")
def number(site: Site) -> str:
    return placed_receipt(site)


def choice(file: File) -> None:
    file["leaf"] = file["leaf"].replace('"choice":"a"', '"choice":"b"')


def another_entry(file: File) -> None:
    file["leaf"] = file["leaf"].replace('"turns"', '"Turns"')


def path(file: File) -> None:
    first = file["proof"]["hashes"][0]
    file["proof"]["hashes"][0] = ("0" if first[0] != "0" else "1") + first[1:]


def longer_path(file: File) -> None:
    file["proof"]["hashes"].append("00" * 32)


def shorter_path(file: File) -> None:
    file["proof"]["hashes"].pop()


def index(file: File) -> None:
    file["proof"]["index"] += 1


def huge_index(file: File) -> None:
    file["proof"]["index"] += 2**32


def root(file: File) -> None:
    lines = file["proof"]["checkpoint"].split("\n")
    lines[2] = base64.b64encode(bytes(32)).decode()
    file["proof"]["checkpoint"] = "\n".join(lines)


def signature(file: File) -> None:
    file["proof"]["checkpoint"] = flipped(file["proof"]["checkpoint"])


def promise(file: File) -> None:
    file["promise"] = flipped(file["promise"])


def promise_of_another(file: File) -> None:
    file["promise"] = KEY.sign(ORIGIN, promise_text(ORIGIN, bytes(32)))


def flipped(note: str) -> str:
    """The note with a bit of its signature turned round."""
    text, gap, line = note.rpartition(" ")
    signed = bytearray(base64.b64decode(line))
    signed[-1] ^= 1
    return text + gap + base64.b64encode(signed).decode() + "\n"


def key(file: File) -> None:
    file["key"] = str(OTHER.verifier(ORIGIN))


def key_id(file: File) -> None:
    """An id that does not belong to the key, in the key and in all it signed."""
    name, _, public = file["key"].split("+", 2)
    file["key"] = f"{name}+00000000+{public}"
    file["promise"] = with_id(file["promise"])
    file["proof"]["checkpoint"] = with_id(file["proof"]["checkpoint"])


def with_id(note: str) -> str:
    text, gap, line = note.rpartition(" ")
    return text + gap + base64.b64encode(bytes(4) + base64.b64decode(line)[4:]).decode() + "\n"


def everything_by_another_key(file: File) -> None:
    """What a server that has lost the key, or another server, would sign."""
    key(file)
    for name, note in (("promise", file["promise"]), ("checkpoint", file["proof"]["checkpoint"])):
        text = note.rpartition("\n\n")[0] + "\n"
        signed = OTHER.sign(ORIGIN, text)
        if name == "promise":
            file["promise"] = signed
        else:
            file["proof"]["checkpoint"] = signed


def everything_under_another_name(file: File) -> None:
    """A ledger of its own, rightly signed, that this browser has not seen."""
    name, leaf = ORIGIN + "0", base64.b64decode(file["promise"].split("\n")[2])
    checkpoint = KEY.sign(name, Checkpoint(name, 1, leaf).text())
    file |= {"origin": name, "key": str(KEY.verifier(name)), "promise": KEY.sign(name, promise_text(name, leaf))}
    file["proof"] = {"index": 0, "hashes": [], "checkpoint": checkpoint}


def without_a_place(file: File) -> None:
    """As if the entry that the page gives a place had none."""
    file["proof"] = None


def rewritten(file: File) -> None:
    """A ledger of this entry alone, rightly signed: it lacks all that stood there before."""
    leaf = base64.b64decode(file["promise"].split("\n")[2])
    file["proof"] = {"index": 0, "hashes": [], "checkpoint": KEY.sign(ORIGIN, Checkpoint(ORIGIN, 1, leaf).text())}


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (choice, {"said", "promised", "included"}),
        (another_entry, {"said", "promised", "included"}),
        (path, {"included"}),
        (longer_path, {"included"}),
        (shorter_path, {"included"}),
        (index, {"included"}),
        (huge_index, {"included"}),
        (root, {"included", "signed", "kept"}),
        (signature, {"signed"}),
        (promise, {"promised"}),
        (promise_of_another, {"promised"}),
        (key, {"promised", "signed", "known"}),
        (key_id, {"promised", "signed", "known"}),
        (everything_by_another_key, {"known"}),
        (everything_under_another_name, {"known", "kept"}),
        (without_a_place, {"included"}),
        (rewritten, {"kept"}),
    ],
    ids=lambda it: getattr(it, "__name__", ""),
)
def test_what_was_tampered_with_is_shown_loudly(
    visit: Visit, number: str, change: Callable[[File], None], wrong: set[str]
) -> None:
    visitor = visit()
    opens(visitor, number)
    assert check(visitor) == FIRST

    tamper(visitor, change)
    assert {step for step, outcome in check(visitor).items() if outcome == "bad"} == wrong
    assert verdict(visitor) == "differs"
    for step in wrong:
        expect(visitor.page.locator(f"#check li[data-step={step}]")).to_contain_text("틀려요:")
    visitor.context.unroute("**/receipts/*.json")
    assert set(check(visitor).values()) == {"ok"}, "nothing of what was wrong is remembered"


def test_a_page_that_says_something_else_than_the_ledger_is_found_out(visit: Visit, number: str) -> None:
    visitor = visit()
    opens(visitor, number)
    for name, lie in (("choice", "b"), ("at", "2026-01-01T00:00:00.000Z"), ("round", "stage-2"), ("questions", "2")):
        truth = visitor.page.locator("#receipt").get_attribute(f"data-{name}")
        setting = "(it, [name, value]) => { it.dataset[name] = value; }"
        visitor.page.locator("#receipt").evaluate(setting, [name, lie])
        assert check(visitor)["said"] == "bad", name
        assert verdict(visitor) == "differs"
        visitor.page.locator("#receipt").evaluate(setting, [name, truth])
    assert check(visitor)["said"] == "ok"


def test_a_forged_proof_that_the_ledger_only_grew_is_found_out(
    visit: Visit, site: Site, citizen: Citizen, number: str
) -> None:
    visitor = visit()
    opens(visitor, number)
    assert check(visitor) == FIRST
    citizen.battle("b", "12 * 5")
    assert eventually(lambda: size(site) > 0)

    def forged(route: Route) -> None:
        found = route.fetch().json()
        found["hashes"][0] = commitment(bytes(32), "forged")
        route.fulfill(json=found)

    visitor.context.route("**/proofs/consistency*", forged)
    assert check(visitor) == FINE | {"kept": "bad"}
    visitor.context.unroute("**/proofs/consistency*")
    visitor.watch.expect("status of 503")
    visitor.context.route("**/proofs/consistency*", lambda route: route.fulfill(status=503, body=""))
    assert check(visitor) == FINE | {"kept": "unable"}
    assert verdict(visitor) == "open"
    visitor.context.unroute("**/proofs/consistency*")
    assert check(visitor) == FINE


class Ledger:
    """A ledger of some size, shown to a browser in place of the arena's; the receipt's entry has a place in it."""

    def __init__(self, file: File, place: int, *, first: bytes = b"0") -> None:
        self._file, self._place = file, place
        self._leaves = [leaf_hash(first), *(leaf_hash(str(number).encode()) for number in range(1, 40))]
        self._leaves[place] = leaf_hash(file["leaf"].encode())
        self.tree = in_memory(self._leaves)

    def shown(self, visitor: Visitor, size: int, *, proofs: "Ledger | None" = None) -> None:
        """From now on; the proof that it grew may be another ledger's."""
        checkpoint = KEY.sign(ORIGIN, Checkpoint(ORIGIN, size, root_of(self.tree, size)).text())
        path = [node.hex() for node in inclusion_proof(self.tree, self._place, size)]
        file = self._file | {"proof": {"index": self._place, "hashes": path, "checkpoint": checkpoint}}
        visitor.context.route("**/receipts/*.json", lambda route: route.fulfill(json=file))

        def grown(route: Route) -> None:
            asked = parse_qs(urlsplit(route.request.url).query)
            first, second = int(asked["first"][0]), int(asked["second"][0])
            nodes = consistency_proof((proofs or self).tree, first, second)
            route.fulfill(json={"hashes": [node.hex() for node in nodes]})

        visitor.context.route("**/proofs/consistency*", grown)


@pytest.mark.parametrize("place", [0, 1, 2, 6, 11])
def test_every_place_and_every_growth_is_computed_rightly(visit: Visit, site: Site, number: str, place: int) -> None:
    visitor = visit()
    opens(visitor, number)
    ledger = Ledger(httpx.get(f"{site.origin}/receipts/{number}.json").json(), place)
    for entries in range(place + 1, 36, 1 + place // 3):
        ledger.shown(visitor, entries)
        assert check(visitor) == (FIRST if entries == place + 1 else FINE), entries


@pytest.mark.parametrize(("before", "after"), [(4, 4), (4, 7), (5, 6), (7, 16), (8, 32), (9, 5)])
def test_a_ledger_that_was_rewritten_or_cut_is_found_out(
    visit: Visit, site: Site, number: str, before: int, after: int
) -> None:
    visitor = visit()
    opens(visitor, number)
    file = httpx.get(f"{site.origin}/receipts/{number}.json").json()
    honest, rewritten = Ledger(file, 3), Ledger(file, 3, first=b"another")
    honest.shown(visitor, before)
    assert check(visitor) == FIRST
    for proofs in (rewritten, honest):
        rewritten.shown(visitor, after, proofs=proofs)
        assert check(visitor) == FINE | {"kept": "bad"}
        assert verdict(visitor) == "differs"


def test_what_could_not_be_compared_is_not_taken_for_compared(visit: Visit, site: Site, number: str) -> None:
    visitor = visit()
    visitor.watch.expect("status of 503")
    opens(visitor, number)
    file = httpx.get(f"{site.origin}/receipts/{number}.json").json()
    Ledger(file, 3).shown(visitor, 4)
    assert check(visitor) == FIRST

    Ledger(file, 3, first=b"another").shown(visitor, 7)
    visitor.context.route("**/proofs/consistency*", lambda route: route.fulfill(status=503, body=""))
    assert check(visitor) == FINE | {"kept": "unable"}
    Ledger(file, 3, first=b"another").shown(visitor, 7)
    assert check(visitor) == FINE | {"kept": "bad"}
