"""What a battle's bytes and times tell beside its words: one number or one word a feature. Times in seconds."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from arena.battles.pacing import FRAME_S
from tests.blindness.recorder import Exchange, Recording
from tests.support import Stream

Features = Mapping[str, float | str]

QUANTILES = (0, 0.1, 0.25, 0.5, 0.75, 0.9, 1)
GAP_EDGES = (0.0, 0.02, 0.04, 0.048, 0.052, 0.06, 0.08, 0.12, 0.25, np.inf)
GROWTH_EDGES = (0, 1, 2, 4, 6, 7, 12, 30, np.inf)
BY_CHANCE = re.compile(r"[0-9a-f]{16,}|[\w-]{43}|\w{3}, [\w :]+ GMT")


def features_of(recording: Recording) -> tuple[Features, Features]:
    """What a battle tells of the answer at side A, and of that at side B."""
    shared: dict[str, float | str] = {"steps": " ".join(exchange.step for exchange in recording.exchanges)}
    for exchange in recording.exchanges:
        shared |= _head(exchange) | _waits(exchange)
    times, lengths, told = _stream(recording)
    a, b = (_side(times, lengths[:, side]) for side in (0, 1))
    return {"side": "a"} | shared | told | _beside(a, b), {"side": "b"} | shared | told | _beside(b, a)


def _head(exchange: Exchange) -> dict[str, float | str]:
    """Names, values and order of the headers, without what is drawn anew each time; sizes; cookies."""
    lines = "\n".join(f"{name}: {value}" for name, value in exchange.headers if name != "content-length")
    return {
        f"{exchange.step} head": f"{exchange.status}\n" + BY_CHANCE.sub("*", lines),
        f"{exchange.step} head size": exchange.head_size,
        f"{exchange.step} cookies": sum(name == "set-cookie" for name, _ in exchange.headers),
    }


def _waits(exchange: Exchange) -> dict[str, float | str]:
    times = [at_s for at_s, _ in exchange.pieces]
    return {
        f"{exchange.step} first byte": times[0] - exchange.sent_s,
        f"{exchange.step} all": times[-1] - exchange.sent_s,
        f"{exchange.step} pieces": len(times),
    }


def _stream(recording: Recording) -> tuple[np.ndarray, np.ndarray, dict[str, float | str]]:
    """When events came, shape (events,); characters shown after each, shape (events, 2); what both sides share."""
    events = recording.step("stream").events()
    times = np.array([at_s for at_s, _, _ in events])
    played = Stream()
    lengths = np.array([_lengths(played, name, data) for _, name, data in events])
    beside_text = len(recording.step("again").body) - len((played.a + played.b).encode())
    told: dict[str, float | str] = {
        "order": re.sub(r"(message )+", "messages ", " ".join(name for _, name, _ in events)),
        "events": len(events),
        "page": len(recording.step("page").body),
        "again beside the text": beside_text,
    }
    sizes = np.array([len(data.encode()) for _, _, data in events])
    return times, lengths, told | _spread("bytes", sizes) | _times(times - recording.step("ask").sent_s, lengths)


def _times(times: np.ndarray, lengths: np.ndarray) -> dict[str, float | str]:
    """Times count from the question; from the first text on, text comes at every frame."""
    shown = times[lengths.any(axis=1)]
    return {
        "first event": times[0],
        "first text": shown[0],
        "done": times[-1],
        "first event to first text": shown[0] - times[0],
        "last text to done": times[-1] - times[lengths.sum(axis=1).argmax()],
        "beyond the frames": shown[-1] - shown[0] - FRAME_S * (len(shown) - 1),
        "longer": int(lengths.max()),
    } | _spread("gap", np.diff(shown), GAP_EDGES)


def _side(times: np.ndarray, lengths: np.ndarray) -> dict[str, float | str]:
    """How one side grew, and when it began and ended."""
    growth = np.diff(lengths, prepend=0)
    moves = times[growth != 0]
    return {
        "length": int(lengths[-1]),
        "moves": len(moves),
        "first": moves[0] - times[0],
        "last": moves[-1] - times[0],
        **_spread("growth", growth[growth != 0], GROWTH_EDGES),
        **_spread("gap", np.diff(moves), GAP_EDGES),
    }


def _beside(own: dict[str, float | str], other: dict[str, float | str]) -> dict[str, float | str]:
    """One side's features, the other's, and their differences."""
    return {
        **{f"own {name}": value for name, value in own.items()},
        **{f"other {name}": value for name, value in other.items()},
        **{f"own less other {name}": float(value) - float(other[name]) for name, value in own.items()},
    }


def _lengths(played: Stream, name: str, data: str) -> tuple[int, int]:
    """Characters that each side shows after this event."""
    played.take(name, data)
    return _visible(played.a), _visible(played.b)


def _visible(html: str) -> int:
    return len(re.sub(r"<[^>]*>|\n", "", html))


def _spread(name: str, values: np.ndarray, edges: Sequence[float] = ()) -> dict[str, float | str]:
    """Quantiles, mean, deviation, and shares between the edges; zeros when there is no value."""
    values = values if len(values) else np.zeros(1)
    found = {
        f"{name} q{quantile}": value
        for quantile, value in zip(QUANTILES, np.quantile(values, QUANTILES), strict=True)
    }
    found |= {f"{name} mean": values.mean(), f"{name} deviation": values.std()}
    if edges:
        shares = np.histogram(values, edges)[0] / len(values)
        found |= {f"{name} from {edge}": share for edge, share in zip(edges, shares, strict=False)}
    return {key: float(value) for key, value in found.items()}
