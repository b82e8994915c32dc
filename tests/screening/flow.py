"""An arena whose prompts are checked by three made-up words and a little classifier."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import update
from sqlmodel import col, select

from arena.clock import now
from arena.db import Database
from arena.screening.actions import publish
from arena.screening.rules import Rule, Rules, Threshold
from arena.screening.tables import Review
from tests.battles.endpoint import Answering, Asked, Endpoint, endpoint
from tests.battles.stage import Stage, opened
from tests.support import Citizen, round_file

NUMBER, MASKED = "010-2345-6789", "[전화번호]"
BLOCKED, HELD, NOTED, IN_NEED, SAD = "막힐낱말", "멈출낱말", "적힐낱말", "힘든낱말", "슬픈낱말"
DOWN = "500 Down"
RULES = Rules(
    rules=(
        Rule(category="weapons", kind="words", level="block", entries=(BLOCKED,)),
        Rule(category="drugs", kind="words", level="hold", entries=(HELD,)),
        Rule(category="spam", kind="words", level="log", entries=(NOTED,)),
        Rule(category="self_harm", kind="words", level="hold", entries=(IN_NEED,)),
        Rule(category="self_harm", kind="words", level="log", entries=(SAD,)),
    ),
    thresholds={
        "violence": Threshold(level="block", at=0.8),
        "sexual": Threshold(level="hold", at=0.5),
        "hate": Threshold(level="log", at=0.2),
    },
)


@dataclass
class Judge:
    """A classifier: sees violence in "때리", something sexual in "야한", hate in "미운"; or has another `status`."""

    status: str = "200 OK"
    asked: list[Asked] = field(default_factory=list)

    async def answer(self, answer: Answering) -> None:
        self.asked.append(answer.asked)
        await answer.begin(self.status, "application/json")
        text = answer.asked.body["input"]
        scores = {
            name: 0.9 if word in text else 0.01
            for name, word in (("violence", "때리"), ("sexual", "야한"), ("hate", "미운"))
        }
        result = {"categories": dict.fromkeys(scores, False), "category_scores": scores}
        await answer.raw(json.dumps({"results": [result]}).encode())

    @property
    def read(self) -> list[str]:
        return [asked.body["input"] for asked in self.asked]


@dataclass(frozen=True, slots=True)
class Flow:
    """A served arena with its teams and its classifier."""

    stage: Stage
    team: Endpoint
    judge: Judge

    def reviews(self) -> list[Review]:
        with self.stage.db.reading() as session:
            return list(session.exec(select(Review).order_by(col(Review.id))))

    def states(self) -> list[tuple[str, str]]:
        return [(review.text, review.state) for review in self.reviews()]

    def decides(self, state: str, text: str, reason: str | None = None) -> None:
        decides(self.stage.db, state, text, reason)

    def heard(self) -> list[str]:
        """Every message that an endpoint was sent."""
        return [message["content"] for asked in self.team.asked for message in asked.body["messages"]]

    def votable(self, citizen: Citizen, prompt: str = "김치찌개는 어떻게 끓이나요?") -> str:
        path = citizen.ask(prompt)
        assert citizen.read(path).outcome == "complete"
        return path


def decides(db: Database, state: str, text: str, reason: str | None = None) -> None:
    """What a moderator does to a prompt."""
    decision = update(Review).where(col(Review.text) == text).values(state=state, reason=reason)
    db.writing(lambda session: session.execute(decision))


def with_rules(db: Database) -> None:
    """Puts RULES into force."""
    db.writing(lambda session: publish(session, RULES, 0, "for tests", "moderator-1", now()))


@contextmanager
def flowing(database_url: str, *, classifier: bool = True) -> Iterator[Flow]:
    judge = Judge()
    with endpoint() as team, endpoint(judge.answer) as asked:
        url = f"{asked.origin}/v1/moderations" if classifier else ""
        with opened(database_url, round_file(team.origin, teams=2), classifier_url=url) as stage:
            with_rules(stage.db)
            yield Flow(stage, team, judge)
