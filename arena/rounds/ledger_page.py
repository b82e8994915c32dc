"""What the page of a round's ledger shows."""

from sqlmodel import Session

from arena.ledger.queries import log_of, newest_checkpoint
from arena.rounds.pages import CheckpointView, LedgerPage, LogView
from arena.rounds.queries import rules_of, view
from arena.rounds.tables import Round


def ledger_page(session: Session, round_: Round, locale: str, *, operator: bool, bundle: bool) -> LedgerPage:
    """The seed is published with the round's closing, unless the rules hide for ever whose answers were read."""
    log, newest = log_of(session, round_.id or 0), newest_checkpoint(session, round_.id or 0)
    reveal = rules_of(round_).reveal
    return LedgerPage(
        round=view(round_, locale, operator=operator),
        log=LogView(log.origin, log.verifier) if log else None,
        checkpoint=CheckpointView(newest.size, newest.note, newest.signed_at) if newest else None,
        rules_hash=round_.rules_hash,
        reveal=reveal,
        seed_commitment=round_.seed_commitment,
        seed=round_.seed if round_.state == "closed" and reveal != "never" else None,
        bundle=bundle,
    )
