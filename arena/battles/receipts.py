"""The voter's receipt: what was recorded of a vote, and what proves that the ledger holds it.

It tells how somebody voted and on which battle, never whose answers those were.
"""

import json
import re
from dataclasses import asdict
from typing import cast

import segno
from sqlmodel import Session, col, func, select

from arena.battles.pages import Choice, Counting, Proof, QrCode, ReceiptFile, ReceiptPage
from arena.battles.tables import Battle, Turn, Vote
from arena.errors import N_, NotFoundError
from arena.ledger.queries import leaf, log_of, newest_checkpoint, tree_of
from arena.ledger.tables import Leaf
from arena.proofs.leaves import timestamp
from arena.proofs.merkle import inclusion_proof
from arena.proofs.notes import SigningKey, promise_text
from arena.rounds.queries import rules_of, view
from arena.rounds.tables import Round

FORMAT = "blind-arena-receipt/1"
NO_ENTRY = N_("This vote is from before there was a ledger. It is recorded, but there is no file to check it with.")
QUIET = 4
"""Modules around a QR code that stay light (ISO/IEC 18004)."""


def receipt_page(session: Session, receipt: str, key: SigningKey, site: str, locale: str) -> ReceiptPage:
    """The receipt of that number; `site` is the origin its link leads to. Raises NotFoundError."""
    vote, battle, round_ = _vote(session, receipt)
    link = f"{site}/receipts/{receipt}"
    complete = select(func.count()).select_from(Turn).where(Turn.battle_id == battle.id, Turn.state == "complete")
    return ReceiptPage(
        receipt=receipt,
        battle=battle.id,
        choice=cast(Choice, vote.choice),
        cast_at=vote.cast_at,
        at=timestamp(vote.cast_at),
        round=view(round_, locale),
        questions=session.exec(complete).one(),
        counting=_counting(session, vote, battle, rules_of(round_).rated_votes_per_voter),
        link=link,
        qr=qr_code(link),
        file=_file(session, vote, key),
    )


def receipt_json(session: Session, receipt: str, key: SigningKey) -> str:
    """The receipt's file. Raises NotFoundError, also for a vote from before there were ledgers."""
    found = _file(session, _vote(session, receipt)[0], key)
    if found is None:
        raise NotFoundError(NO_ENTRY, code="no_entry")
    return json.dumps({"format": FORMAT} | asdict(found), ensure_ascii=False, indent=2) + "\n"


def qr_code(link: str) -> QrCode:
    code = segno.make(link, error="m", micro=False)
    runs = (
        (run.start() + QUIET, y, run.end() - run.start())
        for y, row in enumerate(code.matrix, start=QUIET)
        for run in re.finditer(rb"\x01+", bytes(row))
    )
    return QrCode(len(code.matrix) + 2 * QUIET, "".join(f"M{x} {y}h{n}v1h-{n}z" for x, y, n in runs))


def _vote(session: Session, receipt: str) -> tuple[Vote, Battle, Round]:
    found = session.exec(
        select(Vote, Battle, Round)
        .join(Battle, col(Battle.id) == Vote.battle_id)
        .join(Round, col(Round.id) == Battle.round_id)
        .where(Vote.receipt == receipt)
    ).first()
    if found is None:
        raise NotFoundError
    return found[0], found[1], found[2]


def _counting(session: Session, vote: Vote, battle: Battle, cap: int) -> Counting:
    if vote.excluded:
        return "named" if vote.excluded_why == "identity_leak" else "excluded"
    earlier = (
        select(func.count())
        .select_from(Vote)
        .join(Battle, col(Battle.id) == Vote.battle_id)
        .where(Battle.round_id == battle.round_id, Battle.voter_id == battle.voter_id)
        .where(~col(Vote.excluded), col(Vote.id) < vote.id)
    )
    return "rated" if session.exec(earlier).one() < cap else "beyond"


def _file(session: Session, vote: Vote, key: SigningKey) -> ReceiptFile | None:
    if vote.leaf_id is None:
        return None
    entry = leaf(session, vote.leaf_id)
    log = log_of(session, entry.round_id)
    assert log is not None
    mine = str(key.verifier(log.origin)) == log.verifier
    return ReceiptFile(
        origin=log.origin,
        key=log.verifier,
        leaf=entry.body,
        promise=key.sign(log.origin, promise_text(log.origin, entry.hash)) if mine else None,
        proof=_proof(session, entry),
    )


def _proof(session: Session, entry: Leaf) -> Proof | None:
    checkpoint = newest_checkpoint(session, entry.round_id)
    if entry.position is None or checkpoint is None:
        return None
    path = inclusion_proof(tree_of(session, entry.round_id), entry.position, checkpoint.size)
    return Proof(entry.position, tuple(node.hex() for node in path), checkpoint.note)
