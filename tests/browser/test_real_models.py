"""The whole way against real language models: from a question to the rating that the pipeline pulls."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect

from arena.accounts.actions import SCOPES, create_key
from arena.clock import now
from arena.demo.real import RealModel
from arena.rounds.rules import RoundFile
from tests.browser.conftest import Serve, Site, Visit
from tests.support import RULES, eventually

pytestmark = pytest.mark.models

Models = tuple[RealModel, ...]


@pytest.fixture(scope="module")
def site(serve: Serve, real_models: Models) -> Iterator[Site]:
    """A round of two real models."""
    entries = [
        {
            "team": {"ko": model.name, "en": model.name},
            "model": model.model,
            "base_url": model.base_url,
            "aliases": list(model.aliases),
        }
        for model in real_models
    ]
    rules = RULES | {
        "answer": {"max_tokens": 96, "temperature": 0.7, "system_prompt": ""},
        "deadlines": {"first_token_s": 60, "idle_s": 60, "total_s": 120},
    }
    file = {"slug": "real", "title": {"ko": "실제 모델", "en": "Real models"}, "rules": rules, "entries": entries}
    with serve(RoundFile.model_validate(file)) as made:
        yield made


def test_a_question_becomes_a_rating(visit: Visit, site: Site, real_models: Models) -> None:
    key = site.db.writing(lambda session: create_key(session, "pipeline", SCOPES, now()))
    pipeline = httpx.Client(base_url=site.origin + "/api/v1", headers={"Authorization": f"Bearer {key}"})
    visitor = visit(language="en")
    visitor.go()

    visitor.ask("What is the capital of France? Answer in a few sentences.")
    for side in "ab":
        expect(visitor.answer(side)).not_to_be_empty(timeout=60_000)
    visitor.can_vote(within_s=120)
    html = visitor.page.content()
    assert [model.name for model in real_models if model.name in html or model.model in html] == []
    visitor.vote("a")

    def rated() -> list[int]:
        return [entry["votes"] for entry in pipeline.get("/rounds/real/ratings").json()["entries"]]

    assert eventually(lambda: rated() == [1, 1])
    pipeline.close()
