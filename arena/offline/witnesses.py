"""What a reader has kept from before and holds against a bundle: a checkpoint, a receipt, a public key."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from arena.errors import RefusedError
from arena.offline.bundle import object_of
from arena.offline.faults import FaultError, brief
from arena.proofs.merkle import includes, leaf_hash
from arena.proofs.notes import NOTE_LIMIT, Checkpoint, NoteError, VerifierKey, note_text, promise_text

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
            note = _content(file).decode()
            checkpoint = Checkpoint.parse(note_text(note))
        except (UnicodeDecodeError, NoteError) as error:
            raise RefusedError(f"{file}: {error}") from None
        if not checkpoint.size:
            raise RefusedError(f"{file}: a checkpoint of no entries vouches for nothing")
        return cls(note, checkpoint)

    def check_signer(self, keys: Sequence[str]) -> None:
        """Whether it is of this ledger, whatever its size. Raises FaultError."""
        origin = VerifierKey.parse(keys[0]).name
        if self.checkpoint.origin != origin:
            raise FaultError(CHECKPOINT, f"is of {brief(self.checkpoint.origin)}, and this ledger is {origin!r}")
        if not any(_signs(key, self.note) for key in keys):
            raise FaultError(
                "entry 0",
                f"names the key {keys[0]}, and neither it nor one that it was handed over to signed the checkpoint "
                "given: a swapped key",
            )

    def check(self, size: int, root: bytes, keys: Sequence[str]) -> None:
        """Holds it against the ledger's tree of its size, which `keys` signed so far. Raises FaultError."""
        self.check_signer(keys)
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
        found = object_of(_content(file)) or {}
        if found.get("format") != RECEIPT_FORMAT:
            raise RefusedError(f"{file}: expected a receipt of the format {RECEIPT_FORMAT!r}")
        match found:
            case {
                "key": str(key),
                "leaf": str(leaf),
                "promise": str() | None as promise,
                "proof": dict() | None as proof,
            }:
                pass
            case _:
                raise RefusedError(f"{file}: expected a receipt with key, leaf, promise and proof")
        try:
            return cls(VerifierKey.parse(key), leaf.encode(), object_of(leaf.encode()) or {}, promise, proof)
        except (NoteError, UnicodeEncodeError) as error:
            raise RefusedError(f"{file}: {error}") from None

    @property
    def hash(self) -> bytes:
        return leaf_hash(self.leaf)

    def check(self) -> Checkpoint | None:
        """Checks signatures and proof against the receipt's own key; the checkpoint of its proof, if it has one.

        Raises FaultError.
        """
        if self.body.get("type") != "vote.cast":
            raise FaultError(RECEIPT, "its entry is not a vote")
        if self.promise is None and self.proof is None:
            raise FaultError(RECEIPT, "nothing in it is signed: it has no promise and no proof")
        if self.promise is not None:
            promised = _signed(self.key, self.promise, "promise")
            if promised != promise_text(self.key.name, self.hash):
                raise FaultError(RECEIPT, "the promise is about another entry")
        return self._proven() if self.proof is not None else None

    def check_signer(self, keys: Sequence[str]) -> None:
        """Holds the receipt against the public keys of a ledger, or one known from elsewhere. Raises FaultError."""
        if str(self.key) not in keys:
            raise FaultError(RECEIPT, f"is signed by {brief(str(self.key))}, and this ledger by {keys[-1]}")

    def _proven(self) -> Checkpoint:
        proof = self.proof or {}
        try:
            index, hashes = int(proof["index"]), [bytes.fromhex(item) for item in proof["hashes"]]
            found = Checkpoint.parse(_signed(self.key, proof["checkpoint"], "checkpoint"))
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise FaultError(RECEIPT, f"its proof cannot be read: {brief(error)}") from None
        if found.origin != self.key.name or not includes(self.hash, index, found.size, hashes, found.root):
            raise FaultError(RECEIPT, "the proof does not show that the ledger holds this vote")
        return found


def _signed(key: VerifierKey, note: str, what: str) -> str:
    try:
        return key.signed(note)
    except NoteError as error:
        raise FaultError(RECEIPT, f"its {what}: {error}") from None


def _signs(key: str, note: str) -> bool:
    try:
        VerifierKey.parse(key).signed(note)
    except NoteError:
        return False
    return True


def _content(file: Path) -> bytes:
    """A file's bytes. Raises RefusedError for what is none, or too large."""
    try:
        if not file.is_file():
            raise RefusedError(f"{file}: cannot be read: there is no such file")
        if file.stat().st_size > NOTE_LIMIT:
            raise RefusedError(f"{file}: is larger than {NOTE_LIMIT} bytes")
        return file.read_bytes()
    except OSError as error:
        raise RefusedError(f"{file}: cannot be read: {error.strerror or error}") from None
