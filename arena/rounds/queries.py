"""Reads of rounds."""

from datetime import datetime

from sqlmodel import Session, col, func, or_, select

from arena.errors import NotFoundError
from arena.rounds.pages import OutageView, RoundPage, RoundState, RoundView, RulesPage
from arena.rounds.rules import Rules, load_rules
from arena.rounds.tables import Epoch, Round, Suggestion, SuggestionVersion
from arena.rounds.topics import handful
from arena.teams.outages import outages
from arena.teams.queries import entries_of


def find_round(session: Session, slug: str) -> Round | None:
    return session.exec(select(Round).where(Round.slug == slug)).first()


def published_round(session: Session, slug: str) -> Round:
    """A round that the public may know of. Raises NotFoundError for a draft or an unknown slug."""
    found = find_round(session, slug)
    if found is None or found.state == "draft":
        raise NotFoundError
    return found


def published_rounds(session: Session) -> list[Round]:
    """All rounds that were opened, newest first."""
    return list(session.exec(select(Round).where(Round.state != "draft").order_by(col(Round.id).desc())))


def open_round(session: Session) -> Round | None:
    """The open round; there is at most one."""
    return session.exec(select(Round).where(Round.state == "open")).first()


def accepts(round_: Round, now: datetime) -> bool:
    """Whether battles and votes are accepted at `now`."""
    return round_.state == "open" and (round_.closes_at is None or now < round_.closes_at)


def rules_of(round_: Round) -> Rules:
    return load_rules(round_.rules)


def newest_epoch(session: Session, round_id: int) -> Epoch:
    """The epoch battles are dealt in now; an open round always has one."""
    return session.exec(
        select(Epoch).where(Epoch.round_id == round_id).order_by(col(Epoch.number).desc()).limit(1)
    ).one()


def leaderboard_visible(round_: Round, *, operator: bool) -> bool:
    """The public sees ratings as the rules' reveal allows, an operator always."""
    reveal = rules_of(round_).reveal
    return operator or reveal == "after_vote" or (reveal == "after_close" and round_.state == "closed")


def names_revealed(round_: Round) -> bool:
    """Whether a voter may learn whose answers they read, once the vote is cast."""
    reveal = rules_of(round_).reveal
    return reveal == "after_vote" or (reveal == "after_close" and round_.state == "closed")


def title(round_: Round, locale: str) -> str:
    return round_.title_ko if locale == "ko" else round_.title_en


def view(round_: Round, locale: str, *, operator: bool = False) -> RoundView:
    """The round in the reader's language."""
    state: dict[str, RoundState] = {"draft": "draft", "open": "open", "closed": "closed"}
    return RoundView(
        slug=round_.slug,
        title=title(round_, locale),
        state=state[round_.state],
        demo=round_.demo,
        opened_at=round_.opened_at,
        closes_at=round_.closes_at,
        closed_at=round_.closed_at,
        leaderboard=leaderboard_visible(round_, operator=operator),
    )


def round_page(session: Session, round_: Round, locale: str, *, votes: int, operator: bool) -> RoundPage:
    entries, found = entries_of(session, round_.id or 0), outage_views(session, round_, locale)
    return RoundPage(
        round=view(round_, locale, operator=operator),
        entries=tuple(entry.name(locale) for entry in entries),
        votes=votes,
        outage_count=len(found),
        outages=found if round_.state == "closed" else (),
        operator=operator,
    )


def outage_views(session: Session, round_: Round, locale: str) -> tuple[OutageView, ...]:
    """A round's outages with the teams' names, the first to begin first."""
    names = {entry.id: entry.name(locale) for entry in entries_of(session, round_.id or 0)}
    return tuple(
        OutageView(names[outage.entry_id], outage.began_at, outage.ended_at, outage.ending)
        for outage in outages(session, round_.id or 0)
    )


def rules_page(round_: Round, locale: str, *, operator: bool) -> RulesPage:
    rules = rules_of(round_)
    return RulesPage(
        round=view(round_, locale, operator=operator),
        rules_hash=round_.rules_hash,
        seed_commitment=round_.seed_commitment,
        exact=round_.rules,
        max_turns=rules.max_turns,
        max_battles_per_voter=rules.max_battles_per_voter,
        rated_votes_per_voter=rules.rated_votes_per_voter,
        reveal=rules.reveal,
        pacing=rules.pacing,
        identity_leak=rules.identity_leak,
        identity_allow=rules.identity_allow,
        may_change=rules.may_change,
        max_tokens=rules.answer.max_tokens,
        temperature=rules.answer.temperature,
        system_prompt=rules.answer.system_prompt,
        points=rules.score.points,
        formula=rules.score.formula,
        min_votes_per_entry=rules.score.min_votes_per_entry,
    )


def suggestions(session: Session, round_id: int, locale: str, *, limit: int, shuffle: int) -> list[Suggestion]:
    """A handful of the suggestions in force, in the reader's language if there are any."""
    newest = suggestions_version(session, round_id)
    return handful(suggestions_in(session, round_id, newest), locale, limit=limit, shuffle=shuffle)


def suggestions_version(session: Session, round_id: int) -> int:
    """The number of the suggestions' newest version; what a round was made with is the first."""
    newest = func.coalesce(func.max(SuggestionVersion.number), 1)
    return session.exec(select(newest).where(SuggestionVersion.round_id == round_id)).one()


def suggestions_in(session: Session, round_id: int, version: int) -> list[Suggestion]:
    """The suggestions of a version. One that will be taken out with the next has that one's number in `until`."""
    found = select(Suggestion).where(
        Suggestion.round_id == round_id,
        Suggestion.since <= version,
        or_(col(Suggestion.until).is_(None), col(Suggestion.until) > version),
    )
    return list(session.exec(found.order_by(col(Suggestion.id))))


def suggestion(session: Session, round_id: int, code: str) -> Suggestion | None:
    """A suggestion of the round, be it in force or not: somebody may still have it on their screen."""
    return session.exec(select(Suggestion).where(Suggestion.round_id == round_id, Suggestion.code == code)).first()
