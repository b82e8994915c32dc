"""Reads of battles. What a voter is shown passes through `battle_page`, which knows no team before a reveal."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from markupsafe import Markup
from sqlmodel import Session, col, func, select

from arena.battles.gateway import Endpoint, Message
from arena.battles.held import held_views
from arena.battles.markdown import render_markdown
from arena.battles.pages import (
    COMMENT_LIMIT,
    PROMPT_LIMIT,
    REASONS,
    AnswerView,
    BattlePage,
    BattleState,
    BlindBattle,
    Choice,
    Reveal,
    Side,
    TurnState,
    TurnView,
    VoteView,
)
from arena.battles.relay import TurnJob
from arena.battles.tables import Answer, Battle, Feedback, RawAnswer, Turn, Vote
from arena.errors import NotFoundError
from arena.rounds.queries import names_revealed, rules_of, view
from arena.rounds.tables import Round
from arena.screening.holding import any_rejected, review_of
from arena.screening.screen import help_lines_for
from arena.teams.queries import entries_of, entry, giveaways

answer_html = lru_cache(maxsize=64)(render_markdown)
"""An answer as a page shows it; the latest are remembered, as a hostile one may take a second."""
MARKS = {"ko": "[모델]", "en": "[model]"}
"""What stands where an answer named an entry, by the battle's language."""


@dataclass(frozen=True, slots=True)
class CastVote:
    """A vote as it was recorded."""

    id: int
    choice: str
    receipt: str
    cast_at: datetime
    feedback_given: bool

    def view(self) -> VoteView:
        return VoteView(cast(Choice, self.choice), self.receipt, self.cast_at, self.feedback_given)


def battle_of(session: Session, voter_id: str, battle_id: str) -> tuple[Battle, Round]:
    """A voter's own battle with its round. Raises NotFoundError for anyone else's."""
    found = session.exec(
        select(Battle, Round)
        .join(Round, col(Round.id) == Battle.round_id)
        .where(Battle.id == battle_id, Battle.voter_id == voter_id)
    ).first()
    if found is None:
        raise NotFoundError
    return found[0], found[1]


def battle_by_id(session: Session, battle_id: str) -> tuple[Battle, Round]:
    """A battle with its round. Raises NoResultFound."""
    found = select(Battle, Round).join(Round, col(Round.id) == Battle.round_id).where(Battle.id == battle_id)
    battle, round_ = session.exec(found).one()
    return battle, round_


def round_of(session: Session, battle_id: str) -> Round:
    return battle_by_id(session, battle_id)[1]


def turn_of(session: Session, voter_id: str, battle_id: str, number: int) -> Turn:
    """A turn of a voter's own battle. Raises NotFoundError."""
    found = session.exec(
        select(Turn)
        .join(Battle, col(Battle.id) == Turn.battle_id)
        .where(Battle.id == battle_id, Battle.voter_id == voter_id, Turn.number == number)
    ).first()
    if found is None:
        raise NotFoundError
    return found


def turn_by_id(session: Session, turn_id: int) -> Turn:
    return session.exec(select(Turn).where(Turn.id == turn_id)).one()


def turns_of(session: Session, battle_id: str) -> list[Turn]:
    return list(session.exec(select(Turn).where(Turn.battle_id == battle_id).order_by(col(Turn.number))))


def answers_of(session: Session, turn_id: int) -> tuple[Answer, Answer]:
    """Both answers of a turn, side A first."""
    a, b = session.exec(select(Answer).where(Answer.turn_id == turn_id).order_by(col(Answer.side)))
    return a, b


def open_battle(session: Session, round_id: int, voter_id: str) -> Battle | None:
    """The battle a voter has begun and not voted on; there is at most one in a round."""
    return session.exec(
        select(Battle).where(
            Battle.round_id == round_id,
            Battle.voter_id == voter_id,
            col(Battle.state).in_(("streaming", "votable")),
        )
    ).first()


def battles_started(session: Session, round_id: int, voter_id: str) -> int:
    """How many battles of a round a voter has begun, void ones aside: those were not the voter's doing."""
    return _count(session, Battle.round_id == round_id, Battle.voter_id == voter_id, Battle.state != "void")


def places_voted(session: Session, round_id: int, voter_id: str, epoch: int) -> frozenset[int]:
    """The places of a voter's order of pairs that are used up."""
    mine = (Battle.round_id == round_id, Battle.voter_id == voter_id, Battle.epoch == epoch)
    return frozenset(session.exec(select(Battle.k).where(*mine, Battle.state == "voted")))


def pair_that_failed(session: Session, round_id: int, voter_id: str) -> tuple[str, ...]:
    """The codes of the two entries of the voter's last battle if it was void, else nothing."""
    last = last_battle(session, round_id, voter_id)
    if last is None or last.state != "void":
        return ()
    return tuple(entry.code for entry in entries_of(session, round_id) if entry.id in (last.entry_a, last.entry_b))


def last_battle(session: Session, round_id: int, voter_id: str) -> Battle | None:
    mine = select(Battle).where(Battle.round_id == round_id, Battle.voter_id == voter_id)
    return session.exec(mine.order_by(col(Battle.created_at).desc()).limit(1)).first()


def battles_left(session: Session, round_id: int, voter_id: str, since: datetime) -> list[datetime]:
    """When the voter began the battles since then that were left without a vote, the first to begin first."""
    mine = (Battle.round_id == round_id, Battle.voter_id == voter_id, Battle.state == "expired")
    return list(
        session.exec(
            select(Battle.created_at).where(*mine, Battle.created_at > since).order_by(col(Battle.created_at))
        )
    )


def has_voted(session: Session, round_id: int, voter_id: str) -> bool:
    return _count(session, Battle.round_id == round_id, Battle.voter_id == voter_id, Battle.state == "voted") > 0


def votes_cast(session: Session, round_id: int) -> int:
    return _count(session, Battle.round_id == round_id, Battle.state == "voted")


def _count(session: Session, *where: Any) -> int:
    return session.exec(select(func.count()).select_from(Battle).where(*where)).one()


def vote_on(session: Session, battle_id: str) -> CastVote | None:
    found = session.exec(
        select(Vote, Feedback.vote_id)
        .join(Feedback, col(Feedback.vote_id) == Vote.id, isouter=True)
        .where(Vote.battle_id == battle_id)
    ).first()
    if found is None:
        return None
    vote, feedback = found
    return CastVote(vote.id or 0, vote.choice, vote.receipt, vote.cast_at, feedback is not None)


def battle_page(
    session: Session,
    voter_id: str,
    battle_id: str,
    locale: str,
    *,
    problem: str | None = None,
    prompt: str = "",
    just_held: str | None = None,
) -> BattlePage:
    """The battle as it stands, for its voter; `prompt` is a follow-up question that was refused, or `just_held`.

    Raises NotFoundError.
    """
    battle, round_ = battle_of(session, voter_id, battle_id)
    turns = turns_of(session, battle_id)
    votable = battle.state == "votable"
    blind = BlindBattle(
        id=battle.id,
        state=cast(BattleState, battle.state),
        round=view(round_, locale),
        turns=tuple(_turn_view(session, turn) for turn in turns),
        turns_left=max(0, rules_of(round_).max_turns - len(turns)),
        prompt_limit=PROMPT_LIMIT,
        problem=problem,
        erased=battle.erased_at is not None,
        prompt=prompt,
        rejected=votable and any_rejected(session, [turn.id for turn in turns]),
        held=held_views(session, battle.round_id, voter_id, just_held=just_held) if votable else (),
    )
    vote = vote_on(session, battle_id)
    return BattlePage(
        battle=blind,
        vote=vote.view() if vote else None,
        reveal=reveal(session, battle, round_, locale) if vote else None,
        reasons=REASONS,
        comment_limit=COMMENT_LIMIT,
    )


def thanks_page(session: Session, battle_id: str, vote: CastVote, locale: str) -> BattlePage:
    """What the voter sees right after the vote: as `battle_page`, without the turns."""
    battle, round_ = battle_by_id(session, battle_id)
    blind = BlindBattle(
        id=battle.id,
        state="voted",
        round=view(round_, locale),
        turns=(),
        turns_left=0,
        prompt_limit=PROMPT_LIMIT,
        problem=None,
        erased=battle.erased_at is not None,
    )
    names = reveal(session, battle, round_, locale)
    return BattlePage(blind, vote.view(), names, REASONS, COMMENT_LIMIT)


def _turn_view(session: Session, turn: Turn) -> TurnView:
    assert turn.id is not None
    a, b = (
        AnswerView(cast(Side, answer.side), answer_html(answer.text) if answer.text else Markup())
        for answer in answers_of(session, turn.id)
    )
    review = review_of(session, turn.id)
    help_lines = help_lines_for(review) if review and review.text else ""
    return TurnView(turn.number, turn.prompt, cast(TurnState, turn.state), (a, b), turn.masked or {}, help_lines)


def reveal(session: Session, battle: Battle, round_: Round, locale: str) -> Reveal | None:
    """Whose answers a voted battle's were, where the rules allow that now."""
    if battle.state != "voted" or not names_revealed(round_):
        return None
    names = {item.id: item.name(locale) for item in entries_of(session, battle.round_id)}
    return Reveal(names[battle.entry_a], names[battle.entry_b])


def turn_job(session: Session, turn: Turn) -> TurnJob:
    """What the relay needs to ask both endpoints: each side hears its own answers of the turns before."""
    battle, round_ = battle_by_id(session, turn.battle_id)
    said: tuple[list[Message], list[Message]] = ([], [])
    for earlier in turns_of(session, turn.battle_id):
        if earlier.number >= turn.number or earlier.id is None:
            break
        for messages, answer in zip(said, answers_of(session, earlier.id), strict=True):
            messages += [Message("user", earlier.prompt), Message("assistant", _as_said(session, answer))]
    for messages in said:
        messages.append(Message("user", turn.prompt))
    assert turn.id is not None
    return TurnJob(
        turn_id=turn.id,
        attempt=turn.attempt,
        endpoints=(endpoint_of(session, battle.entry_a), endpoint_of(session, battle.entry_b)),
        conversations=(tuple(said[0]), tuple(said[1])),
        rules=rules_of(round_),
        names=giveaways(session, battle.round_id),
        mark=MARKS["ko" if battle.locale == "ko" else "en"],
    )


def _as_said(session: Session, answer: Answer) -> str:
    """An answer as its model gave it, names included."""
    raw = session.get(RawAnswer, answer.id) if answer.names else None
    return raw.text if raw else answer.text


def endpoint_of(session: Session, entry_id: int) -> Endpoint:
    """Where an entry's model answers."""
    found = entry(session, entry_id)
    return Endpoint(found.base_url, found.model, found.api_key_env, found.extra_body)
