"""The voter's receipt: what was recorded of a vote, and what proves that the ledger holds it.

It tells how somebody voted and on which battle, never whose answers those were.
"""

import json
from dataclasses import asdict
from typing import cast

from sqlmodel import Session, col, func, select

from arena.battles.appeals import newest_appeal
from arena.battles.exclusions import TEXT_LIMIT
from arena.battles.pages import Choice
from arena.battles.receipt_pages import AppealState, Counting, OwnAppeal, Proof, ReceiptFile, ReceiptPage
from arena.battles.standing import brought_back
from arena.battles.tables import Battle, Turn, Vote
from arena.errors import N_, NotFoundError
from arena.ledger.queries import leaf, log_of, newest_checkpoint, tree_of
from arena.ledger.tables import Leaf
from arena.proofs.leaves import timestamp
from arena.proofs.merkle import inclusion_proof
from arena.proofs.notes import SigningKey, promise_text
from arena.rounds.queries import rules_of, view
from arena.rounds.tables import Round
from arena.web.qr import qr_code

FORMAT = "blind-arena-receipt/1"
NO_ENTRY = N_("This vote is from before there was a ledger. It is recorded, but there is no file to check it with.")


def receipt_page(
    session: Session,
    receipt: str,
    key: SigningKey,
    site: str,
    locale: str,
    *,
    visitor: str = "",
    problem: str | None = None,
    typed: str = "",
) -> ReceiptPage:
    """The receipt of that number; `site` is the origin its link leads to. Raises NotFoundError.

    The visitor who cast the vote sees the appeal too, with what they `typed` and its `problem`.
    """
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
        why=vote.excluded_why if vote.excluded else None,
        link=link,
        qr=qr_code(link),
        file=_file(session, vote, key),
        appeal=_own_appeal(session, vote, battle, round_, problem, typed) if battle.voter_id == visitor else None,
    )


def receipt_json(session: Session, receipt: str, key: SigningKey) -> str:
    """The receipt's file. Raises NotFoundError, also for a vote from before there were ledgers."""
    found = _file(session, _vote(session, receipt)[0], key)
    if found is None:
        raise NotFoundError(NO_ENTRY, code="no_entry")
    return json.dumps({"format": FORMAT} | asdict(found), ensure_ascii=False, indent=2) + "\n"


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


def _own_appeal(
    session: Session, vote: Vote, battle: Battle, round_: Round, problem: str | None, typed: str
) -> OwnAppeal | None:
    newest = newest_appeal(session, vote.id or 0)
    if newest is None and not vote.excluded:
        return None
    state = newest.state if newest else "none"
    return OwnAppeal(
        state=cast(AppealState, state),
        text=newest.text if newest else "",
        reply=newest.reply if newest else "",
        at=newest.made_at if newest else None,
        may=vote.excluded and state != "waiting" and round_.state == "open",
        erased=battle.erased_at is not None,
        limit=TEXT_LIMIT,
        problem=problem,
        typed=typed,
    )


def _counting(session: Session, vote: Vote, battle: Battle, cap: int) -> Counting:
    if vote.excluded:
        return "named" if _out_since_cast(session, vote, battle) else "excluded"
    earlier = (
        select(func.count())
        .select_from(Vote)
        .join(Battle, col(Battle.id) == Vote.battle_id)
        .where(Battle.round_id == battle.round_id, Battle.voter_id == battle.voter_id)
        .where(~col(Vote.excluded), col(Vote.id) < vote.id)
    )
    return "rated" if session.exec(earlier).one() < cap else "beyond"


def _out_since_cast(session: Session, vote: Vote, battle: Battle) -> bool:
    """Whether it never counted, as an answer named its model, and nobody has decided anything about it since."""
    return battle.unrated is not None and battle.id not in brought_back(session, battle.round_id, vote.cast_at)


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
