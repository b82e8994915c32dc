"""Prompts that ask who the model is are told from all others."""

import unicodedata
from pathlib import Path
from typing import Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.battles.probes import asks_identity

_LINES = (Path(__file__).parent / "corpus" / "probes.tsv").read_text("utf-8").splitlines()
Form = Literal["NFC", "NFD", "NFKC", "NFKD"]
PROMPTS = [line.split("\t") for line in _LINES if not line.startswith("#")]


def test_nearly_all_that_ask_are_seen() -> None:
    missed = [prompt for kind, prompt in PROMPTS if kind == "asks" and not asks_identity(prompt)]
    assert len(missed) <= 0.05 * sum(kind == "asks" for kind, _ in PROMPTS), missed


def test_hardly_any_other_is_taken_for_one() -> None:
    alarms = [prompt for kind, prompt in PROMPTS if kind == "other" and asks_identity(prompt)]
    assert len(alarms) <= 0.02 * sum(kind == "other" for kind, _ in PROMPTS), alarms


@pytest.mark.parametrize("form", get_args(Form))
@given(st.sampled_from([prompt for _, prompt in PROMPTS]), st.sampled_from(["", " ", "\t", "\u3000 "]))
def test_spelling_and_white_space_change_nothing(form: Form, prompt: str, space: str) -> None:
    written = space + unicodedata.normalize(form, prompt).upper().replace(" ", " " + space) + space
    assert asks_identity(written) == asks_identity(prompt)


@given(st.text())
def test_any_text_gets_an_answer(text: str) -> None:
    assert asks_identity(text) in (True, False)
