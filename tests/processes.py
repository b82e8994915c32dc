"""`arena serve` and `arena demo` as processes of their own, as an operator runs them."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from arena.settings import PREFIX, Settings
from tests.support import eventually

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Served:
    """A running command: its origin, its process, and the file that all it writes goes to."""

    origin: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def end(self, number: signal.Signals, within_s: float = 20) -> int:
        """Sends a signal and waits; returns the exit status. Raises TimeoutExpired."""
        self.process.send_signal(number)
        return self.process.wait(within_s)


@contextmanager
def arena_command(log: Path, *arguments: str, settings: Settings | None = None) -> Iterator[Served]:
    """Runs `arena` with the arguments on a free port until it serves; whatever is left of it is killed at the end."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    if settings and settings.secret_key:
        environment |= {
            "ARENA_DATABASE_URL": settings.database,
            "ARENA_DATA_DIR": str(settings.data_dir),
            "ARENA_SECRET_KEY": settings.secret_key.get_secret_value(),
            "ARENA_LEDGER_KEY": settings.signing_key.secret(),
            "ARENA_ENDPOINT_ALLOW": ",".join(settings.endpoint_allow),
        }
    command = [sys.executable, "-m", "arena", *arguments, "--port", "0"]
    with log.open("ab") as output:
        before = output.tell()
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        found: list[str] = []

        def serves() -> bool:
            text = log.read_bytes()[before:].decode()
            found[:] = re.findall(r"http://127\.0\.0\.1:\d+(?=\n)", text)
            return bool(found) or process.poll() is not None

        assert eventually(serves, 60)
        assert found, log.read_text()
        yield Served(found[0], process, log)
    finally:
        process.kill()
        process.wait()
