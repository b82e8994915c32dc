"""The operators' page about changes of a round: what may change, what waits, what was done and refused."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session, col, select

from arena.accounts.tables import Act
from arena.accounts.trail import acts_on
from arena.errors import NotFoundError
from arena.rounds.changes import FEWEST, REFUSALS
from arena.rounds.decisions import SAME_PERSON
from arena.rounds.pages import ActView, ChangeProblem, ChangesPage, ProposalView, TeamChoice
from arena.rounds.queries import accepts, find_round, newest_epoch, rules_of, view
from arena.rounds.tables import Proposal, Round
from arena.rounds.wanted import FAULTS, NEEDS, REASONS, Kind
from arena.teams.queries import NamedEntry, entries_of
from arena.web.i18n import translations
from arena.web.pages import Locale

ACTS_SHOWN = 100
WORDS: Final = FAULTS | REFUSALS | {"same_person": SAME_PERSON, "not_found": NotFoundError.message}
"""What was refused, by the codes that the trail keeps."""


def changes_page(
    session: Session,
    slug: str,
    locale: Locale,
    reader: str,
    now: datetime,
    *,
    problem: ChangeProblem | None = None,
    kept: dict[str, str] | None = None,
) -> ChangesPage:
    """The page for the operator whose code is `reader`; drafts too. Raises NotFoundError."""
    round_ = find_round(session, slug)
    if round_ is None or round_.id is None:
        raise NotFoundError
    entries = entries_of(session, round_.id)
    names = {named.code: named.name(locale) for named in entries}
    proposals = _proposals(session, round_.id)
    forms = _forms(session, round_, entries, locale) if accepts(round_, now) else {}
    waiting = tuple(_proposal_view(p, names, locale, reader) for p in proposals if p.state == "waiting")
    return ChangesPage(
        round=view(round_, locale, operator=True),
        allowed=rules_of(round_).may_change,
        forms=forms,
        reasons=REASONS,
        waiting=waiting,
        acts=_act_views(acts_on(session, slug, limit=ACTS_SHOWN), proposals, names, locale),
        problem=problem and _placed(problem, {*forms, *(f"proposal-{proposal.id}" for proposal in waiting)}),
        kept=kept or {},
    )


def _placed(problem: ChangeProblem, forms: set[str]) -> ChangeProblem:
    """A problem of a form that the page does not have (any more) is the page's."""
    return problem if problem.form in forms else replace(problem, form="")


def _proposals(session: Session, round_id: int) -> Sequence[Proposal]:
    return session.exec(select(Proposal).where(Proposal.round_id == round_id).order_by(col(Proposal.id))).all()


def _forms(
    session: Session, round_: Round, entries: Sequence[NamedEntry], locale: Locale
) -> dict[str, tuple[TeamChoice, ...]]:
    dealt = newest_epoch(session, round_.id or 0).entries
    every = tuple(TeamChoice(named.code, named.name(locale)) for named in entries)
    choices: dict[Kind, tuple[TeamChoice, ...]] = {
        "address": every,
        "pause": tuple(team for team in every if team.code in dealt) if len(dealt) > FEWEST else (),
        "resume": tuple(team for team in every if team.code not in dealt),
        "join": (),
    }
    allowed = rules_of(round_).may_change
    return {kind: teams for kind, teams in choices.items() if NEEDS[kind] in allowed and (teams or kind == "join")}


def _team(payload: dict[str, Any], names: dict[str, str], locale: Locale) -> str | None:
    """The team that a proposal or an act is about; None when that is no team of the round."""
    return str(payload["team"][locale]) if "team" in payload else names.get(payload.get("entry", ""))


def _proposal_view(proposal: Proposal, names: dict[str, str], locale: Locale, reader: str) -> ProposalView:
    return ProposalView(
        id=proposal.id or 0,
        kind=proposal.kind,
        team=_team(proposal.payload, names, locale) or "",
        address=proposal.payload.get("base_url"),
        key_variable=proposal.payload.get("api_key_env"),
        model=proposal.payload.get("model"),
        reason=proposal.reason,
        by=proposal.proposed_by,
        at=proposal.proposed_at,
        mine=proposal.proposed_by == reader,
    )


def _act_views(
    acts: Sequence[Act], proposals: Sequence[Proposal], names: dict[str, str], locale: Locale
) -> tuple[ActView, ...]:
    gettext = translations(locale).gettext
    by_id = {proposal.id: proposal for proposal in proposals}

    def act_view(act: Act) -> ActView:
        proposal = by_id.get(act.detail.get("proposal"))
        return ActView(
            at=act.at,
            who=act.who,
            what=act.what,
            kind=proposal.kind if proposal else act.detail.get("kind"),
            team=_team(proposal.payload if proposal else act.detail, names, locale),
            done=act.outcome == "done",
            why=gettext(WORDS[act.why]) if act.why in WORDS else act.why,
        )

    return tuple(act_view(act) for act in acts)
