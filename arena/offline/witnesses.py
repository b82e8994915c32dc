"""What a reader has kept from before and holds against a bundle: a checkpoint, a receipt, a public key."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from arena.errors import RefusedError
from arena.offline.bundle import object_of
from arena.offline.faults import FaultError
from arena.proofs.merkle import includes, leaf_hash
from arena.proofs.notes import Checkpoint, NoteError, VerifierKey, note_text, promise_text

RECEIPT_FORMAT: Final = "blind-arena-receipt/1"
RECEIPT, CHECKPOINT = "the receipt", "the checkpoint given"


@dataclass(frozen=True, slots=True)
class KeptCheckpoint:
    """A signed checkpoint from a file; whose signature it bears is checked against the ledger's keys later."""

    note: str
    checkpoint: Checkpoint

    @classmethod
    def read(cls, file: Path) -> "KeptCheckpoint":
        """Raises RefusedError."""
        try:
            note = file.read_text("utf-8")
            return cls(note, Checkpoint.parse(note_text(note)))
        except (OSError, UnicodeDecodeError, NoteError) as error:
            raise RefusedError(f"{file}: {error}") from None

    def check(self, size: int, root: bytes, key: str) -> None:
        """Holds it against the ledger's tree of its size, which `key` signed. Raises FaultError."""
        mine = VerifierKey.parse(key)
        if self.checkpoint.origin != mine.name:
            raise FaultError(CHECKPOINT, f"is of {self.checkpoint.origin!r}, and this ledger is {mine.name!r}")
        try:
            mine.signed(self.note)
        except NoteError:
            raise FaultError(
                "entry 0", f"the ledger names the key {key}, which did not sign the checkpoint given: a swapped key"
            ) from None
        if self.checkpoint.root != root:
            raise FaultError(
                f"entries 0 to {size - 1}",
                f"two different ledgers of {size} entries were signed with one key: the one of the checkpoint given, "
                "and this one. The past was rewritten, or two readers are shown different ledgers",
            )


@dataclass(frozen=True, slots=True)
class Receipt:
    """A voter's receipt from a file."""

    key: VerifierKey
    leaf: bytes
    body: dict[str, Any]
    promise: str | None
    proof: dict[str, Any] | None

    @classmethod
    def read(cls, file: Path) -> "Receipt":
        """Raises RefusedError when it is no receipt."""
        try:
            found = object_of(file.read_bytes()) or {}
            if found.get("format") != RECEIPT_FORMAT:
                raise RefusedError(f"{file}: expected a receipt of the format {RECEIPT_FORMAT!r}")
            leaf = found["leaf"].encode()
            return cls(VerifierKey.parse(found["key"]), leaf, object_of(leaf) or {}, found["promise"], found["proof"])
        except (OSError, NoteError) as error:
            raise RefusedError(f"{file}: {error}") from None
        except (KeyError, AttributeError):
            raise RefusedError(f"{file}: expected a receipt with key, leaf, promise and proof") from None

    @property
    def hash(self) -> bytes:
        return leaf_hash(self.leaf)

    def check(self) -> Checkpoint | None:
        """Checks signatures and proof against the receipt's own key; the checkpoint of its proof, if it has one.

        Raises FaultError.
        """
        if self.body.get("type") != "vote.cast":
            raise FaultError(RECEIPT, "its entry is not a vote")
        if self.promise is not None:
            promised = _signed(self.key, self.promise, "promise")
            if promised != promise_text(self.key.name, self.hash):
                raise FaultError(RECEIPT, "the promise is about another entry")
        return self._proven() if self.proof is not None else None

    def check_key(self, key: str) -> None:
        """Holds the receipt against a public key known from elsewhere. Raises FaultError."""
        if str(self.key) != key:
            raise FaultError(RECEIPT, f"names the key {self.key}, not the one given")

    def _proven(self) -> Checkpoint:
        proof = self.proof or {}
        try:
            index, hashes = int(proof["index"]), [bytes.fromhex(item) for item in proof["hashes"]]
            found = Checkpoint.parse(_signed(self.key, proof["checkpoint"], "checkpoint"))
        except (KeyError, TypeError, ValueError) as error:
            raise FaultError(RECEIPT, f"its proof cannot be read: {error}") from None
        if found.origin != self.key.name or not includes(self.hash, index, found.size, hashes, found.root):
            raise FaultError(RECEIPT, "the proof does not show that the ledger holds this vote")
        return found


def _signed(key: VerifierKey, note: str, what: str) -> str:
    try:
        return key.signed(note)
    except NoteError as error:
        raise FaultError(RECEIPT, f"its {what}: {error}") from None
