"""Changes of an open round: one operator proposes, another approves, and the ledger tells it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, update
from sqlmodel import Session, col

from arena.accounts.queries import is_operator
from arena.errors import N_, ConflictError, ForbiddenError, InvalidError, NotFoundError
from arena.rounds.actions import enter, held_round, round_to_change
from arena.rounds.decisions import Decision
from arena.rounds.leaves import write_changed
from arena.rounds.queries import accepts, find_round, newest_epoch, rules_of
from arena.rounds.rules import EntryFile
from arena.rounds.tables import Epoch, Proposal, Round
from arena.rounds.wanted import ANOTHERS_KEY, KEY_PREFIX, NEEDS, Kind, Wanted, fault
from arena.teams.actions import move_entry
from arena.teams.queries import NamedEntry, entries_of, entry, is_anothers_key

REFUSALS: Final = {
    "role": N_("Only operators may do this."),
    "not_open": N_("This round is not open, so there is nothing to change."),
    "not_allowed": N_("The rules of this round do not allow this. They were fixed when it opened."),
    "decided": N_("This was already decided."),
    "last_two": N_("At least two teams have to take part, so this team cannot be paused."),
    "paused_already": N_("This team is paused already."),
    "takes_part": N_("This team takes part already."),
}
FEWEST = 2


@dataclass(frozen=True, slots=True)
class _Standing:
    """A round at one moment: its entries, and the codes of those that are dealt."""

    round: Round
    entries: tuple[NamedEntry, ...]
    epoch: Epoch

    def entry(self, code: str) -> NamedEntry:
        found = next((named for named in self.entries if named.code == code), None)
        if found is None:
            raise fault("entry")
        return found


def propose(session: Session, slug: str, wanted: Wanted, by: str, now: datetime) -> Proposal:
    """Puts a change before the other operators. Raises ArenaErrors when it could not be made now."""
    round_ = held_round(session, _round_id(session, slug))
    _check_operators(session, by)
    _check(session, round_, wanted.kind, wanted.payload, now)
    proposal = Proposal(
        round_id=round_.id or 0,
        kind=wanted.kind,
        payload=wanted.payload,
        reason=wanted.reason,
        proposed_by=by,
        proposed_at=now,
    )
    session.add(proposal)
    session.flush()
    return proposal


def approve(session: Session, slug: str, proposal_id: int, by: str, now: datetime) -> None:
    """Makes a proposed change; nobody deals meanwhile, and open battles go on as they are.

    Raises ArenaErrors when the same person proposed it, somebody decided it, or it cannot be made any more.
    """
    round_ = round_to_change(session, _round_id(session, slug))
    proposal = _proposal(session, round_, proposal_id)
    _check_operators(session, by, proposal.proposed_by)
    decision = Decision(proposal.reason, (proposal.proposed_by, by))
    kind = cast(Kind, proposal.kind)
    _decide(session, proposal_id, "done", by, now)
    standing = _check(session, round_, kind, proposal.payload, now)
    _change(session, standing, kind, proposal.payload, decision, now)


def withdraw(session: Session, slug: str, proposal_id: int, by: str, now: datetime) -> None:
    """Takes a proposal back, or by another operator refuses it."""
    round_ = held_round(session, _round_id(session, slug))
    proposal = _proposal(session, round_, proposal_id)
    _check_operators(session, by)
    _decide(session, proposal_id, "withdrawn" if by == proposal.proposed_by else "refused", by, now)


def _round_id(session: Session, slug: str) -> int:
    found = find_round(session, slug)
    if found is None or found.id is None:
        raise NotFoundError
    return found.id


def _proposal(session: Session, round_: Round, proposal_id: int) -> Proposal:
    found = session.get(Proposal, proposal_id)
    if found is None or found.round_id != round_.id:
        raise NotFoundError
    return found


def _check_operators(session: Session, *codes: str) -> None:
    if not all(is_operator(session, code) for code in codes):
        raise ForbiddenError(REFUSALS["role"], code="role")


def _refuse(code: str) -> ConflictError:
    return ConflictError(REFUSALS[code], code=code)


def _check(session: Session, round_: Round, kind: Kind, payload: dict[str, Any], now: datetime) -> _Standing:
    """What a change would be made to. Raises ConflictError or InvalidError where it cannot be."""
    if not accepts(round_, now):
        raise _refuse("not_open")
    if NEEDS[kind] not in rules_of(round_).may_change:
        raise _refuse("not_allowed")
    standing = _Standing(round_, entries_of(session, round_.id or 0), newest_epoch(session, round_.id or 0))
    if kind == "join":
        _check_joiner(session, standing, payload)
        return standing
    code = standing.entry(payload["entry"]).code
    if kind == "address":
        named = standing.entry(code)
        _check_variable(session, payload, (named.name_ko, named.name_en), entry(session, named.id).api_key_env)
    elif kind == "pause":
        _check_pause(standing, code)
    elif code in standing.epoch.entries:
        raise _refuse("takes_part")
    return standing


def _check_joiner(session: Session, standing: _Standing, payload: dict[str, Any]) -> None:
    names = EntryFile.model_validate(payload).team
    if any(names.ko == named.name_ko or names.en == named.name_en for named in standing.entries):
        raise InvalidError(REFUSALS["takes_part"], code="team")
    _check_variable(session, payload, (names.ko, names.en), None)


def _check_variable(session: Session, payload: dict[str, Any], names: tuple[str, str], present: str | None) -> None:
    name = payload["api_key_env"]
    if name not in (None, present) and not name.startswith(KEY_PREFIX):
        raise fault("api_key_env")
    if is_anothers_key(session, names, name, payload["base_url"]):
        raise InvalidError(ANOTHERS_KEY, code="api_key_env")


def _check_pause(standing: _Standing, code: str) -> None:
    if code not in standing.epoch.entries:
        raise _refuse("paused_already")
    if len(standing.epoch.entries) <= FEWEST:
        raise _refuse("last_two")


def _decide(session: Session, proposal_id: int, state: str, by: str, now: datetime) -> None:
    decided = session.execute(
        update(Proposal)
        .where(col(Proposal.id) == proposal_id, col(Proposal.state) == "waiting")
        .values(state=state, decided_by=by, decided_at=now)
        .execution_options(synchronize_session=False)
    )
    if cast(CursorResult[object], decided).rowcount != 1:
        raise _refuse("decided")


def _change(
    session: Session, standing: _Standing, kind: Kind, payload: dict[str, Any], decision: Decision, now: datetime
) -> None:
    named = _enter(session, standing, payload) if kind == "join" else standing.entry(payload["entry"])
    epoch = None
    if kind == "address":
        move_entry(session, named.id, payload["base_url"], payload["api_key_env"])
    else:
        without = {named.code} if kind == "pause" else set()
        epoch = _next_epoch(session, standing, {*standing.epoch.entries, named.code} - without, now)
    write_changed(session, standing.round, kind, named, epoch, decision, now)


def _enter(session: Session, standing: _Standing, payload: dict[str, Any]) -> NamedEntry:
    file = EntryFile.model_validate(payload)
    made = enter(session, standing.round.id or 0, len(standing.entries) + 1, file)
    return NamedEntry(made.id or 0, made.code, file.team.ko, file.team.en)


def _next_epoch(session: Session, standing: _Standing, codes: set[str], now: datetime) -> Epoch:
    """Begins an epoch with these entries, in the order they were entered."""
    every = [named.code for named in entries_of(session, standing.round.id or 0)]
    epoch = Epoch(
        round_id=standing.round.id or 0,
        number=standing.epoch.number + 1,
        entries=[code for code in every if code in codes],
        started_at=now,
    )
    session.add(epoch)
    session.flush()
    return epoch
