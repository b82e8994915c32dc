"""What a round's own entries in the ledger say: its opening, changes of its entries, its closing."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from arena.ledger.actions import append
from arena.proofs.leaves import SALT_BYTES, commitment, timestamp
from arena.proofs.notes import VerifierKey
from arena.rounds.decisions import Decision
from arena.rounds.pairing import model_salt
from arena.rounds.rules import load_rules
from arena.rounds.tables import Epoch, Round
from arena.teams.queries import NamedEntry, entries_of, entry
from arena.teams.tables import Entry


def write_opened(session: Session, round_: Round, epoch: Epoch, verifier: VerifierKey, now: datetime) -> None:
    assert round_.id is not None
    rules = load_rules(round_.rules)
    append(
        session,
        round_.id,
        round_.slug,
        "round.opened",
        now,
        key=str(verifier),
        rules=rules.frozen(),
        rules_hash=round_.rules_hash,
        closes_at=round_.closes_at and timestamp(round_.closes_at),
        seed_commitment=round_.seed_commitment,
        epoch=epoch.number,
        entries=[entry_facts(round_, entry(session, named.id), named) for named in entries_of(session, round_.id)],
    )


def write_changed(
    session: Session,
    round_: Round,
    kind: str,
    named: NamedEntry,
    epoch: Epoch | None,
    decision: Decision,
    now: datetime,
) -> None:
    """A change of an entry that two persons decided; `epoch` where it begins one."""
    found = entry(session, named.id)
    facts: dict[str, Any] = {"entry": found.code}
    if kind == "address":
        facts["address"] = address_commitment(found)
    if kind == "join":
        facts = entry_facts(round_, found, named)
    if epoch is not None:
        facts |= {"epoch": epoch.number, "entries": epoch.entries}
    facts |= {"change": kind} | decision.facts()
    append(session, round_.id or 0, round_.slug, "entry.changed", now, **facts)


def write_closed(session: Session, round_: Round, now: datetime) -> None:
    append(session, round_.id or 0, round_.slug, "round.closed", now)


def entry_facts(round_: Round, found: Entry, named: NamedEntry) -> dict[str, Any]:
    """An entry as the ledger shows it: whose it is, and commitments to its model and its endpoint's address."""
    return {
        "entry": found.code,
        "team": {"ko": named.name_ko, "en": named.name_en},
        "model": commitment(model_salt(bytes.fromhex(round_.seed), found.code), model_of(found)),
        "address": address_commitment(found),
    }


def model_of(found: Entry) -> dict[str, Any]:
    """What answers for an entry; published when the round is closed."""
    return {"model": found.model, "aliases": found.aliases, "extra_body": found.extra_body}


def address_commitment(found: Entry) -> str:
    """The commitment to where an entry's endpoint lies, which is never published."""
    salt = bytes.fromhex(found.address_salt)
    assert len(salt) == SALT_BYTES
    return commitment(salt, {"base_url": found.base_url, "api_key_env": found.api_key_env})
