"""The session's real models: a test's conftest imports the fixture from here."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from arena.demo import real

MODELS_PYTHON = Path(__file__).parents[2] / ".venv-models" / "bin" / "python"


@pytest.fixture(scope="session")
def real_models() -> Iterator[tuple[real.RealModel, ...]]:
    """SmolLM2 and Gemma, each behind its server, for as long as the session lasts."""
    with real.real_models(MODELS_PYTHON, print) as models:
        yield models
