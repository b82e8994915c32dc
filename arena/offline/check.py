"""`arena verify`: what was found, said in sentences."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import typer
from rich.console import Console
from rich.progress import Progress

from arena.errors import RefusedError
from arena.offline.bundle import LEDGER, Bundle
from arena.offline.faults import FaultError
from arena.offline.report import printable
from arena.offline.verify import Verified, verify_bundle
from arena.offline.witnesses import KeptCheckpoint, Receipt

LINE_LIMIT: Final = 1000


def run_verify(folder: Path | None, checkpoint: Path | None, receipt: Path | None, key: str | None) -> bool:
    """Verifies and prints what it found; False when something failed. Raises RefusedError for what cannot be read."""
    kept = KeptCheckpoint.read(checkpoint) if checkpoint else None
    held = Receipt.read(receipt) if receipt else None
    try:
        if folder is not None:
            lines = _bundle(Bundle(folder), kept, held, key)
        elif held is not None and kept is None:
            lines = _receipt(held, key)
        else:
            raise RefusedError("expected the folder of a bundle, or --receipt FILE alone")
        for line in lines:
            _say(line)
    except FaultError as fault:
        _say(f"FAILED at {fault.place}: {fault.what}")
        return False
    return True


def _say(line: str) -> None:
    """Shows a line that may quote a stranger's file, whose control characters a terminal would obey."""
    typer.echo(printable(line[:LINE_LIMIT]))


def _bundle(bundle: Bundle, kept: KeptCheckpoint | None, receipt: Receipt | None, key: str | None) -> Iterator[str]:
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("verifying", total=bundle.size_of(LEDGER))
        found = verify_bundle(
            bundle, lambda done: progress.update(task, completed=done), kept=kept, receipt=receipt, key=key
        )
    yield f"{found.round}: {found.entries} entries, {found.checkpoints} signed checkpoints, root {found.root}"
    yield from (f"key {name}" for name in found.keys)
    yield f"votes {found.votes}, of which {found.excluded} are excluded from the ratings; each is in the ledger once"
    yield from _ending(found)
    yield from _pairs_and_figures(found)
    if found.erased:
        yield f"the words of {found.erased} conversations were erased; their votes are all here"
    if kept is not None:
        yield f"the checkpoint of {kept.checkpoint.size} entries is of this same ledger"
    if receipt is not None:
        yield f"the receipt's vote is entry {found.receipt_at}"
    if key is None and kept is None:
        yield "compare the key with what you noted when the round opened (--key), or give an earlier --checkpoint"
    yield "VERIFIED"


def _ending(found: Verified) -> Iterator[str]:
    if found.closed_at is None:
        return
    if found.closes_at is None:
        yield f"closed {found.closed_at}; no end had been announced at the opening"
    elif found.closed_at < found.closes_at:
        yield f"closed {found.closed_at}, before the end that was announced at the opening, {found.closes_at}"
    else:
        yield f"closed {found.closed_at}, at the end that was announced at the opening, {found.closes_at}"


def _pairs_and_figures(found: Verified) -> Iterator[str]:
    if found.sealed:
        yield "pairs are sealed: the seed is not published; ratings cannot be computed from this bundle"
        return
    yield "every pair is the one that the seed, committed to at the opening, had fixed"
    if found.figures_hash is not None:
        yield f"ratings and scores computed anew agree to the last digit: figures {found.figures_hash}"


def _receipt(receipt: Receipt, key: str | None) -> Iterator[str]:
    if key is not None:
        receipt.check_signer([key])
    checkpoint = receipt.check()
    body = receipt.body
    yield f"round {body.get('round')}, {body.get('at')}: the vote was {body.get('choice')!r}"
    if checkpoint is None:
        yield "the arena signed a promise to take it into the ledger; fetch the receipt again for the proof"
    else:
        yield f"the ledger of {checkpoint.size} entries holds it, root {checkpoint.root.hex()}"
    if key is None:
        yield f"signed by {receipt.key}: compare this key with the one on the arena's page"
    yield "VERIFIED"
