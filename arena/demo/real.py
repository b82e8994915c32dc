"""Real small language models for `arena demo --models real`, each behind an OpenAI-compatible server."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import IO

from arena.demo.real_server import GEMMA, SMOLLM2

START_LIMIT_S = 120.0
STOP_LIMIT_S = 2.0


class RealModelsError(Exception):
    """The real models cannot be run; the message is one line that says what to do or what went wrong."""


@dataclass(frozen=True, slots=True)
class RealModel:
    """What a round's entry needs to know of a running model; `base_url` ends in `/v1`."""

    name: str
    model: str
    base_url: str
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Model:
    name: str
    model: str
    aliases: tuple[str, ...]


MODELS = (
    _Model("SmolLM2 135M Instruct", SMOLLM2, ("SmolLM2", "SmolLM", "Hugging Face", "허깅페이스")),
    _Model("Gemma 3 270M", GEMMA, ("Gemma", "Google DeepMind", "젬마", "구글 딥마인드")),
)


@contextmanager
def real_models(python: Path, say: Callable[[str], None]) -> Iterator[tuple[RealModel, ...]]:
    """Runs every model under `python`, the interpreter of the models' environment, until the block ends.

    The servers listen on free loopback ports and end with this process too, however it ends. `say` is given a
    line for each step. Raises `RealModelsError` when the environment is missing or a model does not start.
    """
    if not python.exists():
        raise RealModelsError(f"The real models are not installed ({python} is missing): run `make demo MODELS=real`")
    with ExitStack() as stack:
        yield tuple(stack.enter_context(_running(model, python, say)) for model in MODELS)


@contextmanager
def _running(model: _Model, python: Path, say: Callable[[str], None]) -> Iterator[RealModel]:
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        process = _spawn(model, python, log)
        try:
            origin = _wait_until_ready(model, process, log, say)
            yield RealModel(model.name, model.model, f"{origin}/v1", model.aliases)
        finally:
            _stop(process)


def _spawn(model: _Model, python: Path, log: IO[str]) -> subprocess.Popen[str]:
    command = [str(python), str(Path(__file__).with_name("real_server.py")), model.model]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        encoding="utf-8",
        start_new_session=True,  # a terminal's Ctrl-C is for the arena, which then stops its servers itself
    )


def _wait_until_ready(model: _Model, process: subprocess.Popen[str], log: IO[str], say: Callable[[str], None]) -> str:
    """The server's origin; passes on what the server says until it gives it."""
    began = time.monotonic()
    limit = Timer(START_LIMIT_S, process.kill)
    limit.start()
    try:
        for line in process.stdout or ():
            if line.startswith("http://"):
                say(f"{model.name}: ready after {time.monotonic() - began:.1f} s")
                return line.strip()
            say(f"{model.name}: {line.strip()}")
    finally:
        limit.cancel()
    raise RealModelsError(f"{model.name} did not start: {_why(process, log)}")


def _why(process: subprocess.Popen[str], log: IO[str]) -> str:
    status = process.wait()
    log.seek(0)
    lines = log.read().split("\n")
    return next((line for line in reversed(lines) if line.strip()), f"its server ended with status {status}")


def _stop(process: subprocess.Popen[str]) -> None:
    with process:  # closing its standard input asks it to end
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
