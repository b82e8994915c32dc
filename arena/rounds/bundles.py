"""Where the public bundles of closed rounds lie."""

from pathlib import Path

from arena.rounds.tables import Round


def bundle_file(data_dir: Path, round_: Round) -> Path:
    """The file that the worker writes and every server reads."""
    return data_dir / "bundles" / f"{round_.slug}.zip"


def published_bundle(data_dir: Path, round_: Round) -> Path | None:
    """The file once it is there. An open round has none, whatever lies there from before."""
    file = bundle_file(data_dir, round_)
    return file if round_.state == "closed" and file.is_file() else None
