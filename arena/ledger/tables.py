"""The append-only log: entries, the inner hashes of their trees, and signed checkpoints. One log a round."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field

from arena.db import Row


class Log(Row, table=True):
    """A round's log. `verifier` is the public key in force at its newest checkpoint."""

    round_id: int = Field(foreign_key="round.id", primary_key=True)
    origin: str
    verifier: str


class Leaf(Row, table=True):
    """An entry, written with the fact it tells of; the sequencer gives it its `position` soon after.

    `body` is canonical JSON, `hash` its leaf hash. Nothing but `position` is ever updated, and that once: triggers
    of the database refuse it.
    """

    __table_args__ = (
        UniqueConstraint("round_id", "position"),
        Index(
            "ix_leaf_waiting",
            "round_id",
            "id",
            sqlite_where=text("position is null"),
            postgresql_where=text("position is null"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="round.id")
    position: int | None = None
    type: str
    body: str
    hash: bytes = Field(index=True)


class Node(Row, table=True):
    """The root of 256 ** `level` leaves, the `place`-th such, once all of them are there."""

    __tablename__: ClassVar[str] = "ledger_node"

    round_id: int = Field(foreign_key="round.id", primary_key=True)
    level: int = Field(primary_key=True)
    place: int = Field(primary_key=True)
    hash: bytes


class StoredCheckpoint(Row, table=True):
    """A checkpoint as it was signed and served."""

    __tablename__: ClassVar[str] = "checkpoint"

    round_id: int = Field(foreign_key="round.id", primary_key=True)
    size: int = Field(primary_key=True)
    root: bytes
    note: str
    signed_at: datetime
