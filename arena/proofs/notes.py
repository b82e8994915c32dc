"""Signed notes (C2SP signed-note, Ed25519): text that ends in a newline, an empty line, a line for each signature.

Two texts are signed so: checkpoints (C2SP tlog-checkpoint), each the size and root of a round's ledger, and promises,
each that an entry with this hash is or will soon be in the ledger. One private key signs for all rounds; in the log
of a round its name is the round's origin, so that every log has a verifier key of its own.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519 = b"\x01"
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f\ud800-\udfff]{1,200}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_PRIVATE = "PRIVATE+KEY"
NOTE_LIMIT = 1_000_000


class NoteError(ValueError):
    """A key, note or checkpoint that is not what it should be; the message says why."""


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def _decoded(text: str, what: str) -> bytes:
    """What is written as base64 in the one way there is, so that nobody can make a note another by its spelling."""
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not found or base64.b64encode(found).decode() != text:
        raise NoteError(f"{what}: expected base64")
    return found


def _key_of(text: str, what: str) -> tuple[str, str, bytes]:
    """Name, key id in hex, and the key's 32 bytes of `NAME+ID+KEY`."""
    name, *rest = text.split("+", 2)
    if len(rest) != 2 or not _NAME.fullmatch(name):
        raise NoteError(f"{what}: expected NAME+ID+KEY")
    key = _decoded(rest[1], what)
    if len(key) != 33 or key[:1] != _ED25519:
        raise NoteError(f"{what}: expected an Ed25519 key")
    return name, rest[0], key[1:]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name it signs under."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `NAME+ID+KEY`. Raises NoteError."""
        name, key_id, public = _key_of(text, "verifier key")
        found = cls(name, public)
        if found.id.hex() != key_id:
            raise NoteError("verifier key: its id does not fit its name and key")
        return found

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    @property
    def id(self) -> bytes:
        return _key_id(self.name, self.public)

    def signed(self, note: str) -> str:
        """The text of a note that this key signed. Raises NoteError."""
        text, signatures = _parts(note)
        mine = [signature for name, signature in signatures if name == self.name and signature[:4] == self.id]
        if not mine:
            raise NoteError(f"the note is not signed by {self}")
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(mine[0][4:], text.encode())
        except (InvalidSignature, ValueError):
            raise NoteError(f"the note's signature by {self.name} is wrong") from None
        return text


def _parts(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text of a note and its signatures by name."""
    text, gap, lines = note.rpartition("\n\n")
    if not gap or not lines.endswith("\n") or len(note) > NOTE_LIMIT:
        raise NoteError("expected a signed note: a text, an empty line, a line for each signature")
    if _CONTROL.search(note):
        raise NoteError("expected a signed note without control characters")
    return text + "\n", [_signature(line) for line in lines[:-1].split("\n")]


def _signature(line: str) -> tuple[str, bytes]:
    match line.split(" "):
        case ["—", name, signature] if _NAME.fullmatch(name):
            return name, _decoded(signature, "signature")
    raise NoteError("expected signature lines such as `— NAME BASE64`")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The ledger's private key, with the arena's name; kept outside the database."""

    name: str
    private: bytes

    @classmethod
    def generate(cls, name: str) -> Self:
        """Raises NoteError for a name with a space or a plus."""
        if not _NAME.fullmatch(name):
            raise NoteError("name: expected one without spaces and plus signs, such as arena.example")
        return cls(name, Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `PRIVATE+KEY+NAME+ID+KEY`. Raises NoteError, which never shows the key."""
        text = text.strip()
        if not text.startswith(_PRIVATE + "+"):
            raise NoteError("signing key: expected PRIVATE+KEY+NAME+ID+KEY, as `arena key ledger` prints it")
        name, key_id, private = _key_of(text.removeprefix(_PRIVATE + "+"), "signing key")
        found = cls(name, private)
        if found.verifier(name).id.hex() != key_id:
            raise NoteError("signing key: its id does not fit its name and key")
        return found

    def secret(self) -> str:
        """The private key as `parse` reads it."""
        key_id = self.verifier(self.name).id.hex()
        return f"{_PRIVATE}+{self.name}+{key_id}+{base64.b64encode(_ED25519 + self.private).decode()}"

    def __repr__(self) -> str:
        return f"SigningKey({self.name})"

    def origin(self, slug: str) -> str:
        """What identifies the log of a round."""
        return f"{self.name}/rounds/{slug}"

    def verifier(self, origin: str) -> VerifierKey:
        """The public key under a log's name."""
        return VerifierKey(origin, self._key().public_key().public_bytes_raw())

    def sign(self, origin: str, text: str) -> str:
        """The note of a text, which ends in a newline, signed under a log's name."""
        signature = self.verifier(origin).id + self._key().sign(text.encode())
        return f"{text}\n— {origin} {base64.b64encode(signature).decode()}\n"

    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.private)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log: its size and root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads the text of a checkpoint; lines of extensions are passed over. Raises NoteError."""
        *lines, end = text.split("\n")
        if end or len(lines) < 3 or not all(lines) or not re.fullmatch(r"0|[1-9][0-9]{0,18}", lines[1]):
            raise NoteError("expected a checkpoint: origin, size and root, each on a line")
        found = _decoded(lines[2], "the checkpoint's root")
        if len(found) != hashlib.sha256().digest_size:
            raise NoteError("the checkpoint's root: expected 32 bytes")
        return cls(lines[0], int(lines[1]), found)


def note_text(note: str) -> str:
    """The text of a note, whoever signed it. Raises NoteError."""
    return _parts(note)[0]


def promise_text(origin: str, leaf: bytes) -> str:
    """What is signed at once for a new entry, by its hash."""
    return f"{origin}\npromise\n{base64.b64encode(leaf).decode()}\n"


def rotation_text(follower: VerifierKey) -> str:
    """What the old key signs to hand a log over to another."""
    return f"{follower.name}\nkey\n{follower}\n"
