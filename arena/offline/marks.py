"""The signed checkpoints of a bundle, looked at as its tree grows."""

from collections.abc import Iterator, Sequence
from typing import Any

from arena.offline.bundle import CHECKPOINTS, Bundle
from arena.offline.faults import FaultError, at_entry, brief
from arena.offline.witnesses import RECEIPT, KeptCheckpoint, Receipt
from arena.proofs.merkle import Growing
from arena.proofs.notes import Checkpoint, NoteError, VerifierKey


class Marks:
    """The signed checkpoints of a bundle, and what the reader holds against it, each due at a size of the tree."""

    def __init__(self, bundle: Bundle, kept: KeptCheckpoint | None, receipt: Receipt | None) -> None:
        self._rows: Iterator[dict[str, Any]] = bundle.rows(CHECKPOINTS)
        self._next = next(self._rows, None)
        self._good = 0
        self._kept, self._receipt = kept, receipt
        self._proof = receipt.check() if receipt else None
        self.seen = 0
        self.receipt_at: int | None = None

    def passed(self, position: int, found: bytes, tree: Growing, keys: Sequence[str]) -> None:
        """Looks at the tree after the entry at `position`, which `keys` signed so far, the last of them now."""
        size = tree.size
        if self._next is not None and self._next.get("size") == size:
            self._check(self._next, size, tree.root(), keys[-1])
            self._next = next(self._rows, None)
        if self._kept is not None and self._kept.checkpoint.size == size:
            self._kept.check(size, tree.root(), keys)
        if self._receipt is not None and found == self._receipt.hash:
            self.receipt_at = position
        if self._proof is not None and self._proof.size == size and self._proof.root != tree.root():
            raise FaultError(RECEIPT, f"its checkpoint of {size} entries is of another ledger than this one")

    def _check(self, row: dict[str, Any], size: int, root: bytes, key: str) -> None:
        where = f"entry {self._good}" if size == self._good + 1 else f"entries {self._good} to {size - 1}"
        try:
            checkpoint = Checkpoint.parse(VerifierKey.parse(key).signed(str(row.get("note"))))
        except NoteError as error:
            raise FaultError(where, f"the checkpoint of {size} entries: {error}") from None
        if (checkpoint.size, checkpoint.origin) != (size, VerifierKey.parse(key).name):
            raise FaultError(where, f"the checkpoint of {size} entries is one of {checkpoint.size}")
        if checkpoint.root != root:
            raise FaultError(
                where, f"not what was signed: with them the {size} entries differ from the signed checkpoint"
            )
        self._good = size
        self.seen += 1

    def end(self, size: int, keys: Sequence[str]) -> None:
        """Looks at what is left when all entries are read; `keys` are those that signed."""
        for held in (self._kept, self._receipt):
            if held is not None:
                held.check_signer(keys)
        kept = self._kept.checkpoint if self._kept else None
        for what, due in (("checkpoint given", kept), ("receipt", self._proof)):
            if due is not None and due.size > size:
                vouches = f"is missing: the {what} vouches for {due.size} entries, and a ledger never shrinks"
                raise at_entry(size, f"{vouches}; unless this bundle is older, the past was cut off")
        if self._next is not None:
            raise at_entry(
                size, f"is missing: a signed checkpoint vouches for {brief(self._next.get('size'))} entries"
            )
        if self._good != size:
            raise at_entry(self._good, f"no signed checkpoint covers it: the newest is of {self._good} entries")
        if self._receipt is not None and self.receipt_at is None:
            raise FaultError(RECEIPT, "the ledger does not hold its vote")
