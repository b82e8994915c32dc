"""The table's rows, in groups that each start servers of their own."""

import statistics
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from arena.battles.pacing import FRAME_S
from arena.battles.relay import GRACE_S
from benchmarks import cancel, health, processes, relay, votes
from benchmarks.control import Control
from benchmarks.load import percentile
from benchmarks.processes import Server
from benchmarks.relay import Sample
from benchmarks.table import Row, say


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured; counts of battles, runs, seconds, votes, readers."""

    relay_battles: tuple[int, ...] = (10, 100)
    repeats: int = 3
    window_s: float = 6.0
    held_battles: tuple[int, ...] = (100, 200, 300, 400)
    votes: int = 2000
    votes_beside: int = 300
    streaming_beside_votes: int = 100
    readers: int = 90
    streaming_beside_health: int = 300
    waiting_beside_health: int = 200


QUICK = Plan(
    relay_battles=(10, 50),
    repeats=1,
    window_s=3.0,
    held_battles=(50, 100),
    votes=300,
    votes_beside=100,
    streaming_beside_votes=30,
    readers=30,
    streaming_beside_health=50,
    waiting_beside_health=50,
)


@dataclass(slots=True)
class Rig:
    """The plan, the fake endpoint, and a place for servers; each group of rows starts its own."""

    plan: Plan
    directory: Path
    endpoint: Server
    control: Control
    _started: int = 0

    @contextmanager
    def arena(self) -> Iterator[Server]:
        with processes.arena(self._new_directory(), self.endpoint.origin) as server:
            yield server

    @contextmanager
    def nginx(self) -> Iterator[Server]:
        with processes.nginx(self._new_directory(), self.endpoint.origin) as server:
            yield server

    def _new_directory(self) -> Path:
        self._started += 1
        return self.directory / str(self._started)


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def p50_p99(values: list[float]) -> str:
    return f"{ms(percentile(values, 0.5))} / {ms(percentile(values, 0.99))}"


async def relay_rows(rig: Rig) -> list[Row]:
    """The arena and nginx by turns under the same load."""
    rows: list[Row] = []
    with rig.arena() as arena, rig.nginx() as proxy:
        await relay.warm_up(arena, rig.control)
        base = arena.rss()
        for battles in rig.plan.relay_battles:
            ours, theirs = [], []
            for _ in range(rig.plan.repeats):
                plain = relay.plain_streams(proxy.origin)
                theirs.append(await _sample(rig, proxy, battles, plain, "nginx"))
                full = await relay.full_battles(arena.origin, battles)
                ours.append(await _sample(rig, arena, battles, full, "arena"))
            rows += _relay_figures(battles, ours, theirs)
    return [*rows, *_arena_figures(ours, base)]


async def _sample(rig: Rig, server: Server, battles: int, battle: relay.Battle, name: str) -> Sample:
    sample = await relay.measure(server, rig.control, battle, battles, rig.plan.window_s)
    say(
        f"relay, {name}, {battles} battles: {sample.cpu_s_a_token * 1e6:.1f} us a token"
        f" ({sample.cpu_share:.0%} of a core), first added {p50_p99(sample.first_added)},"
        f" later added {p50_p99(sample.later_added)}"
    )
    return sample


def _relay_figures(battles: int, ours: list[Sample], theirs: list[Sample]) -> list[Row]:
    pairs = list(zip(ours, theirs, strict=True))
    ratio = statistics.median(our.cpu_s_a_token / their.cpu_s_a_token for our, their in pairs)
    our_us, their_us = (statistics.median(s.cpu_s_a_token for s in group) * 1e6 for group in (ours, theirs))
    bar, met = ("at most 6 x (goal 4 x)", ratio <= 6) if battles >= 100 else ("", None)
    nginx_first = [value for sample in theirs for value in sample.first_added]
    return [
        Row(
            f"CPU a relayed token, {battles} battles: arena / nginx",
            f"{our_us:.0f} us / {their_us:.0f} us = {ratio:.1f} x",
            bar,
            met,
        ),
        Row(f"first token added by nginx, {battles} battles, p50 / p99", p50_p99(nginx_first)),
    ]


def _arena_figures(samples: list[Sample], base: int) -> list[Row]:
    battles = samples[0].battles
    first = [value for sample in samples for value in sample.first_added]
    open_kb = samples[0].rss_a_battle / 1000
    bytes_ratio = statistics.median(sample.bytes_a_text_byte for sample in samples)
    return [
        Row(
            f"first visible token beyond the slower endpoint's own, {battles} battles, p50 / p99",
            p50_p99(first),
            "under 10 ms / 40 ms",
            percentile(first, 0.5) < 0.010 and percentile(first, 0.99) < 0.040,
        ),
        Row("memory, one worker, no battle", f"{base / 1e6:.0f} MB", "under 120 MB", base < 120e6),
        Row(f"memory an open battle ({battles} open)", f"{open_kb:.0f} kB", "under 110 kB", open_kb < 110),
        Row("bytes to the browser a byte of answer", f"{bytes_ratio:.2f}", "under 4", bytes_ratio < 4),
    ]


async def held_rows(rig: Rig) -> list[Row]:
    """Ever more battles on one worker, until the later tokens' p99 leaves the bar."""
    held, figures = 0, ""
    with rig.arena() as arena:
        await relay.warm_up(arena, rig.control)
        for battles in rig.plan.held_battles:
            battle = await relay.full_battles(arena.origin, battles)
            sample = await _sample(rig, arena, battles, battle, "arena")
            p99 = percentile(sample.later_added, 0.99) - FRAME_S
            figures += f"; {battles}: {ms(p99)} at {sample.cpu_share:.0%} of a core"
            if p99 >= 0.1:
                break
            held = battles
    what = "battles at 2 x 30 tokens/s one worker holds (p99 added under 100 ms beyond the frame)"
    return [Row(what, f"{held}{figures}", "200 (goal 300)", held >= 200)]


async def vote_rows(rig: Rig) -> list[Row]:
    with rig.arena() as arena:
        ready = await votes.voters(arena, rig.control, rig.plan.votes + rig.plan.votes_beside)
        say(f"{len(ready)} battles are votable")
        fast = await votes.as_fast_as_possible(arena, ready[: rig.plan.votes])
        say(f"votes: {fast.a_second:.0f}/s, {p50_p99(fast.took)}")
        battles = rig.plan.streaming_beside_votes
        paced = await votes.beside_streaming(arena, rig.control, ready[rig.plan.votes :], battles, 50)
        say(f"votes beside {battles} battles: {p50_p99(paced.took)}")
    met = fast.a_second >= 1500 and percentile(fast.took, 0.99) < 0.1
    return [
        Row(
            f"votes, SQLite, {votes.CONNECTIONS} connections, p50 / p99",
            f"{fast.a_second:.0f}/s, {p50_p99(fast.took)}",
            "1,500/s, p99 under 100 ms",
            met,
        ),
        Row(
            f"50 votes/s beside {battles} streaming battles, p50 / p99",
            p50_p99(paced.took),
            "p99 under 100 ms",
            percentile(paced.took, 0.99) < 0.1,
        ),
    ]


async def cancel_rows(rig: Rig) -> list[Row]:
    with rig.arena() as arena:
        gone = await cancel.readers_leave(arena, rig.control, rig.plan.readers, GRACE_S + 10)
    late = [after - GRACE_S for after in gone.after]
    say(f"{len(gone.after)} of {gone.upstreams} upstreams cut")
    measured = f"{gone.share:.0%}"
    if late:
        measured += f", {min(late):.2f} to {max(late):.2f} s after the grace of {GRACE_S:.0f} s"
    # earlier than the grace would be wrong too, but for the clocks' grain
    met = gone.share == 1 and min(late) > -0.1 and max(late) < 0.5
    what = f"upstreams cancelled when {rig.plan.readers} readers leave"
    return [Row(what, measured, "100 %, within 0.5 s after the grace", met)]


async def health_rows(rig: Rig) -> list[Row]:
    rows = []
    plan = rig.plan
    cases = (
        ("waiting for slow endpoints", plan.waiting_beside_health, health.beside_waiting),
        ("streaming", plan.streaming_beside_health, health.beside_streaming),
    )
    for state, battles, measure in cases:
        with rig.arena() as arena:
            await relay.warm_up(arena, rig.control)
            took = await measure(arena, rig.control, battles, plan.window_s)
        say(f"/healthz beside {battles} battles {state}: {p50_p99(took)}")
        what = f"/healthz beside {battles} battles {state}, p50 / p99"
        rows.append(Row(what, p50_p99(took), "p99 under 50 ms", percentile(took, 0.99) < 0.05))
    return rows


GROUPS: dict[str, Callable[[Rig], Awaitable[list[Row]]]] = {
    "relay": relay_rows,
    "held": held_rows,
    "votes": vote_rows,
    "cancel": cancel_rows,
    "health": health_rows,
}
