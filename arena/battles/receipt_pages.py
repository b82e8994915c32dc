"""What the templates of receipts may see. Nothing here leads to a team."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from arena.battles.pages import Choice
from arena.proofs.merkle import leaf_hash
from arena.rounds.pages import RoundView
from arena.web.qr import QrCode

AppealState = Literal["none", "waiting", "upheld", "declined"]
Counting = Literal["rated", "beyond", "named", "excluded"]


@dataclass(frozen=True, slots=True)
class Proof:
    """That an entry stands at `index` in the tree of the signed `checkpoint`; `hashes` in hex, from the leaf up."""

    index: int
    hashes: tuple[str, ...]
    checkpoint: str


@dataclass(frozen=True, slots=True)
class ReceiptFile:
    """What anyone needs to check a vote's entry in the ledger, as its file has it.

    `leaf` is the entry itself, `promise` the signed note on its hash if the log's key is at hand, `proof` comes
    with the entry's place.
    """

    origin: str
    key: str
    leaf: str
    promise: str | None
    proof: Proof | None

    @property
    def leaf_hash(self) -> str:
        return leaf_hash(self.leaf.encode()).hex()


@dataclass(frozen=True, slots=True)
class OwnAppeal:
    """What its voter sees of the appeals against a vote's exclusion: the newest, if there is one.

    `may`: an appeal can be made now, without words once these were erased. `problem` is a translated sentence about
    the text that was `typed`.
    """

    state: AppealState
    text: str
    reply: str
    at: datetime | None
    may: bool
    erased: bool
    limit: int
    problem: str | None
    typed: str


@dataclass(frozen=True, slots=True)
class ReceiptPage:
    """What was recorded of a vote; nothing here leads to a team.

    `at` is the vote's time as entries give it. `counting` says whether it is rated: "beyond" comes after those that
    the rules let a voter have, "named" had an answer that named its model; `why` is the reason of one excluded.
    `file` is None for votes from before there were ledgers. `appeal` only in the browser that cast the vote.
    """

    receipt: str
    battle: str
    choice: Choice
    cast_at: datetime
    at: str
    round: RoundView
    questions: int
    counting: Counting
    why: str | None
    link: str
    qr: QrCode
    file: ReceiptFile | None
    appeal: OwnAppeal | None
