"""Who answers, guessed by classifiers of two kinds; each guess is made by one that never met its voter."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.blindness.features import Features

CLASSIFIERS = {
    "logistic regression": (StandardScaler(), LogisticRegression(C=0.05, max_iter=2000)),
    "random forest": (RandomForestClassifier(300, min_samples_leaf=3, random_state=1),),
}
QUESTIONS = ("the team at side A", "which of the two is at side A")
LEVEL = 1 - 0.05 / (len(QUESTIONS) * len(CLASSIFIERS))  # of each interval, so that all hold together with 95 %


@dataclass(frozen=True, slots=True)
class Case:
    """A battle to guess: what it tells of side A and of side B, its voter, and the teams at both sides."""

    features: tuple[Features, Features]
    voter: int
    a: str
    b: str


@dataclass(frozen=True, slots=True)
class Guesses:
    """How often a question was answered rightly, and the share that needs no knowledge."""

    question: str
    classifier: str
    right: int
    of: int
    chance: float

    @property
    def share(self) -> float:
        return self.right / self.of

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's; those of all questions and classifiers hold together with 95 %."""
        found = binomtest(self.right, self.of).proportion_ci(LEVEL, "wilson")
        return float(found.low), float(found.high)

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"{self.question} by {self.classifier}: {self.share:.3f} of {self.of} right, "
            f"joint 95 % interval {low:.3f} to {high:.3f}, chance {self.chance:.3f}"
        )


def guesses(cases: Sequence[Case]) -> Iterator[Guesses]:
    """Each classifier on both questions: which team is at side A, and which of the battle's two teams is."""
    a, b = (np.array([getattr(case, side) for case in cases]) for side in "ab")
    teams, rows = np.unique((a, b)), np.arange(len(cases))
    at_a, at_b = np.searchsorted(teams, a), np.searchsorted(teams, b)
    commonest = max(Counter(a.tolist()).values()) / len(a)
    for name, steps in CLASSIFIERS.items():
        from_a, from_b = _log_odds(make_pipeline(DictVectorizer(sparse=False), *steps), cases)
        named = from_a.argmax(axis=1) == at_a
        sided = from_a[rows, at_a] + from_b[rows, at_b] > from_a[rows, at_b] + from_b[rows, at_a]
        for question, right, chance in zip(QUESTIONS, (named, sided), (commonest, 0.5), strict=True):
            yield Guesses(question, name, int(right.sum()), len(cases), chance)


def _log_odds(model: Pipeline, cases: Sequence[Case]) -> tuple[np.ndarray, np.ndarray]:
    """Log probabilities, shape (battles, teams), of who answers at side A and at side B."""
    found: np.ndarray = cross_val_predict(
        model,
        [case.features[side] for side in (0, 1) for case in cases],
        [case.a for case in cases] + [case.b for case in cases],
        groups=[case.voter for case in cases] * 2,
        cv=GroupKFold(5),
        method="predict_proba",
    )
    odds = np.log(found.clip(1e-9))
    return odds[: len(cases)], odds[len(cases) :]
