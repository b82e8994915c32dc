"""How answers are written, and ratings that allow for it, beside the rating of record.

Long and richly formatted answers win votes for their look. A fit with terms for style says how much, and how the
entries would stand if they all wrote alike (Li, Angelopoulos and Chiang 2024, "Does style matter? Disentangling style
and substance in Chatbot Arena"). It is observational: what it takes for style may be substance that comes with style.
"""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arena.stats.cells import Floats, Integers
from arena.stats.newton import NoFit, contrasts, maximise, show_spread

# Possessive where they repeat, so that no text makes them try again; the one lazy loop cannot fail.
_FENCED: Final = re.compile(
    r"^[ \t]*+((`|~)\2{2,}+)(?=[^`\n]*+$).*?(?:^[ \t]*+\1\2*+[ \t\r]*+$|\Z)", re.MULTILINE | re.DOTALL
)
_SPAN: Final = re.compile(r"(?<!`)`++[^`\n]++`++")
_HEADING: Final = re.compile(r"^ {0,3}+#{1,6}+[ \t]", re.MULTILINE)
_LIST_ITEM: Final = re.compile(r"^[ \t]*+(?:[-*+]|[0-9]{1,9}+\.)[ \t]", re.MULTILINE)
_BOLD: Final = re.compile(r"\*\*[^*\n]++\*\*|__[^_\n]++__")

_DISTINCT: Final = 1e-8
_UNCOUNTABLE: Final = 2.0**53


class Style(NamedTuple):
    """What is counted in an answer; `code` counts fenced blocks and inline spans."""

    characters: int
    headings: int
    list_items: int
    bold: int
    code: int


FEATURES: Final = Style._fields


def style_of(markdown: str) -> Style:
    """Counts an answer's style in its raw Markdown, in time proportional to its length.

    By the field's patterns (arena-hard-auto's `count_markdown_elements`), headings and list items also where they are
    indented. Nothing inside code is counted; a fence that is never closed reaches to the end.
    """
    text, blocks = _FENCED.subn("", markdown)
    text, spans = _SPAN.subn("x", text)  # a word, so that nothing beside it changes its meaning
    headings, list_items, bold = (len(pattern.findall(text)) for pattern in (_HEADING, _LIST_ITEM, _BOLD))
    return Style(len(markdown), headings, list_items, bold, blocks + spans)


@dataclass(frozen=True, slots=True, eq=False)
class StyledVotes:
    """Votes with the style of both answers, arrays of one length v; raises ValueError for what cannot be votes.

    `first` and `second` are the entries' numbers by side, `credit` is what the first got (1, 1/2 or 0), `features_a`
    and `features_b` (v, 5) are the styles of the answers of the first and the second, `voter` numbers the voters.
    """

    first: Integers
    second: Integers
    credit: Floats
    features_a: Floats
    features_b: Floats
    voter: Integers

    def __post_init__(self) -> None:
        votes = len(self.first)
        columns = (self.first, self.second, self.credit, self.voter)
        styles = (self.features_a, self.features_b)
        if any(column.shape != (votes,) for column in columns):
            raise ValueError("first, second, credit and voter need one number a vote")
        if any(style.shape != (votes, len(FEATURES)) for style in styles):
            raise ValueError(f"the styles of {votes} votes need shape {(votes, len(FEATURES))}")
        if (self.first == self.second).any() or (np.minimum(self.first, self.second) < 0).any():
            raise ValueError("a vote compares two entries, numbered from 0")
        if not np.isin(self.credit, (0, 0.5, 1)).all():
            raise ValueError("a credit is 1, 1/2 or 0")
        if not all(((style >= 0) & (style < _UNCOUNTABLE)).all() for style in styles):
            raise ValueError("a style is counted in numbers from 0 to 2**53")


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A feature's effect in log-odds, by one standard deviation of its difference, and its standard error.

    Without a value where its difference never varied, or followed from the entries, the side and the features before
    it. Without an error where the fit has no covariance.
    """

    feature: str
    value: float | None
    error: float | None


@dataclass(frozen=True, slots=True, eq=False)
class StyleFit:
    """The style-controlled fit: `strengths` (n,) with mean 0 and `side`, in log-odds, for answers of equal style.

    `covariance` is of strengths, side and the coefficients that have a value, in this order: sandwich clustered by
    voter (CR1). None for a single voter, or where ties alone join some entries to the rest.
    """

    strengths: Floats
    side: float
    coefficients: tuple[Coefficient, ...]
    covariance: Floats | None
    voters: int


def fit(size: int, votes: StyledVotes) -> StyleFit | NoFit:
    """Fits n = `size` entries: log-odds of the first = its strength - the second's + side + the differences' effects.

    A feature's difference is (a - b) / (a + b), 0 where neither answer has it, in units of its standard deviation
    over the votes. It is not centred: beside a term for the side that would change nothing but the side's value,
    which here stays that of two answers of equal style. A tie is half a win. Raises ValueError for an unknown entry.
    """
    if (np.maximum(votes.first, votes.second) >= size).any():
        raise ValueError(f"the votes name entries beyond the {size} there are")
    if not len(votes.first):
        return NoFit("no_votes")
    design, kept = _design(size, votes)
    model = _Logistic(design, votes.credit)
    place = maximise(model, design.shape[1])
    if place is None:
        return NoFit("not_finite")
    free = contrasts(size, 1 + len(kept))
    voters, voter = np.unique(votes.voter, return_inverse=True)
    known = len(voters) > 1 and show_spread(_decided(size, votes))
    covariance = free @ model.clustered(place, voter) @ free.T if known else None
    estimate = free @ place
    coefficients = _coefficients(kept, estimate[size + 1 :], covariance)
    return StyleFit(estimate[:size], float(estimate[size]), coefficients, covariance, len(voters))


@dataclass(frozen=True, slots=True, eq=False)
class _Logistic:
    """Logistic regression of credits (v,) on a design (v, p)."""

    design: Floats
    credit: Floats

    def reach(self, step: Floats) -> float:
        return float(np.abs(self.design @ step).max())

    def slopes(self, place: Floats) -> tuple[Floats, Floats]:
        p = self._chances(place)
        return self.design.T @ (self.credit - p), (self.design * (p * (1 - p))[:, None]).T @ self.design

    def clustered(self, place: Floats, voter: Integers) -> Floats:
        """The sandwich: voters' scores, squared and summed, between inverse informations; times G / (G - 1), CR1."""
        surprise = self.credit - self._chances(place)
        scores = np.stack([np.bincount(voter, column * surprise) for column in self.design.T])
        voters = scores.shape[1]
        half = np.linalg.solve(self.slopes(place)[1], scores)
        covariance: Floats = half @ half.T * (voters / (voters - 1))
        return covariance

    def _chances(self, place: Floats) -> Floats:
        chances: Floats = (1 + np.tanh(self.design @ place / 2)) / 2
        return chances


def _design(size: int, votes: StyledVotes) -> tuple[Floats, list[int]]:
    """Columns (v, n + k): n - 1 contrasts of entries, the side, k features; and the numbers of these features."""
    entries = contrasts(size)
    total = votes.features_a + votes.features_b
    differences = (votes.features_a - votes.features_b) / np.where(total > 0, total, 1)
    base = np.column_stack([entries[votes.first] - entries[votes.second], np.ones(len(total))])
    kept = _independent(base, differences)
    return np.column_stack([base, differences[:, kept] / differences[:, kept].std(axis=0)]), kept


def _independent(base: Floats, columns: Floats) -> list[int]:
    """The columns (v, k) that are no combination of the base and the columns before them, nor very nearly so."""
    every = np.column_stack([base, columns])
    products = every.T @ every
    known = list(range(base.shape[1]))
    for column in range(base.shape[1], every.shape[1]):
        cross = products[known, column]
        explained = cross @ np.linalg.lstsq(products[np.ix_(known, known)], cross)[0]
        if explained < (1 - _DISTINCT) * products[column, column]:
            known.append(column)
    return [column - base.shape[1] for column in known[base.shape[1] :]]


def _decided(size: int, votes: StyledVotes) -> NDArray[np.bool_]:
    """Shape (n, n): whether a vote between the two was no tie."""
    decided = np.zeros((size, size), dtype=np.bool_)
    clear = votes.credit != 0.5
    decided[votes.first[clear], votes.second[clear]] = True
    return decided


def _coefficients(kept: list[int], values: Floats, covariance: Floats | None) -> tuple[Coefficient, ...]:
    found: dict[str, Coefficient] = {}
    for place, (feature, value) in enumerate(zip(kept, values, strict=True), -len(kept)):
        error = None if covariance is None else float(np.sqrt(covariance[place, place]))
        found[FEATURES[feature]] = Coefficient(FEATURES[feature], float(value), error)
    return tuple(found.get(name, Coefficient(name, None, None)) for name in FEATURES)
