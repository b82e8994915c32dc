"""Starts what is measured in processes of its own and reads their CPU time and memory."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from arena.proofs.notes import SigningKey
from benchmarks.client import BenchmarkError

ROUND = "bench"
_ROOT = Path(__file__).resolve().parent.parent
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_START_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running server's origin and the process at the top of its tree."""

    origin: str
    pid: int

    def cpu_s(self) -> float:
        """CPU seconds of the whole tree since it started, user and system."""
        return sum(_cpu_s(pid) for pid in _tree(self.pid))

    def rss(self) -> int:
        """Resident bytes of the whole tree; pages shared between its processes count in each."""
        return sum(_rss(pid) for pid in _tree(self.pid))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def endpoint(directory: Path) -> Iterator[Server]:
    command = [sys.executable, "-m", "benchmarks.endpoint"]
    with _running(command, directory / "endpoint.log", _clean_environment(), _ROOT) as process:
        line = _first_line(directory / "endpoint.log", process)
        yield Server(f"http://127.0.0.1:{int(line)}", process.pid)


@contextmanager
def arena(directory: Path, endpoint_origin: str, module: str = "arena") -> Iterator[Server]:
    """One serving process on a fresh database with an open round; its five teams are all the endpoint.

    `module` is what `python -m` runs to serve.
    """
    directory.mkdir(parents=True)
    environment = _clean_environment() | {
        "ARENA_DATABASE_URL": f"sqlite:///{directory / 'arena.db'}",
        "ARENA_DATA_DIR": str(directory),
        "ARENA_SECRET_KEY": secrets.token_hex(32),
        "ARENA_LEDGER_KEY": SigningKey.generate("bench.example").secret(),
        "ARENA_ENDPOINT_ALLOW": "127.0.0.0/8",
        "PYTHONPATH": str(_ROOT),
        "ARENA_MAX_BATTLES": "2000",
    }
    round_file = directory / "round.toml"
    round_file.write_text(_round_toml(endpoint_origin))
    base = [sys.executable, "-m", "arena"]
    for command in (["migrate"], ["round", "create", str(round_file)], ["round", "open", ROUND]):
        _run([*base, *command], environment, directory)
    port = free_port()
    serve = [sys.executable, "-m", module, "serve", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with _running(serve, directory / "arena.log", environment, directory) as process:
        server = Server(f"http://127.0.0.1:{port}", process.pid)
        _await_answer(f"{server.origin}/healthz", process, directory / "arena.log")
        yield server


@contextmanager
def nginx(directory: Path, endpoint_origin: str) -> Iterator[Server]:
    """One nginx process that passes everything to the endpoint, unbuffered."""
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if binary is None:
        raise BenchmarkError("nginx is not installed (Debian: apt-get install nginx-light)")
    directory.mkdir(parents=True)
    port = free_port()
    (directory / "nginx.conf").write_text(_nginx_conf(directory, port, endpoint_origin.removeprefix("http://")))
    command = [binary, "-p", str(directory), "-c", "nginx.conf", "-e", "error.log"]
    with _running(command, directory / "nginx.log", _clean_environment(), directory) as process:
        server = Server(f"http://127.0.0.1:{port}", process.pid)
        _await_answer(f"{server.origin}/stats", process, directory / "error.log")
        yield server


def _round_toml(endpoint_origin: str) -> str:
    entries = "\n".join(
        f'[[entries]]\nteam = {{ ko = "{name} 팀", en = "Team {name}" }}\nmodel = "bench-{name.lower()}"\n'
        f'base_url = "{endpoint_origin}/v1"\naliases = ["{name} 팀", "Team {name}", "bench-{name.lower()}"]\n'
        for name in ("Hana", "Duri", "Sena", "Nari", "Dasom")
    )
    return f"""slug = "{ROUND}"
title = {{ ko = "부하 시험", en = "Benchmark" }}

[rules]
choices = ["a", "b", "tie", "both_bad"]
max_turns = 5
max_battles_per_voter = 1000
rated_votes_per_voter = 1000
reveal = "after_close"
who = "open"
answer = {{ max_tokens = 4096, temperature = 0.7, system_prompt = "" }}
deadlines = {{ first_token_s = 60, idle_s = 60, total_s = 600 }}
pacing = "together"
identity_leak = "exclude"
[rules.score]
points = 25
formula = "anchored"
anchors = [0.35, 0.65]
min_votes_per_entry = 100

{entries}"""


def _nginx_conf(directory: Path, port: int, upstream: str) -> str:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f"    {kind}_temp_path {directory}/{kind};" for kind in kinds)
    return f"""daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 8192; }}
http {{
    access_log off;
{temporary}
    upstream endpoint {{ server {upstream}; keepalive 1024; }}
    server {{
        listen 127.0.0.1:{port} backlog=2048;
        location / {{
            proxy_pass http://endpoint;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
            proxy_read_timeout 120s;
        }}
    }}
}}
"""


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("ARENA_")}


def _run(command: list[str], environment: dict[str, str], directory: Path) -> None:
    done = subprocess.run(
        command, env=environment, cwd=directory, capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode:
        raise BenchmarkError(f"{' '.join(command[2:])} failed: {(done.stderr or done.stdout).strip()[-500:]}")


@contextmanager
def _running(
    command: list[str], log: Path, environment: dict[str, str], directory: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """The process for as long as the block runs; then it is asked to end, and killed after 10 s."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, cwd=directory, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _first_line(log: Path, process: subprocess.Popen[bytes]) -> str:
    def line() -> str | None:
        first, ended, _ = log.read_text().partition("\n")
        return first if ended else None

    return _await(line, process, log)


def _await_answer(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    def answer() -> str | None:
        try:
            with urllib.request.urlopen(url, timeout=2) as response:
                return str(response.status)
        except OSError:
            return None

    _await(answer, process, log)


def _await(look: Callable[[], str | None], process: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + _START_LIMIT_S
    while process.poll() is None and time.monotonic() < until:
        found = look()
        if found is not None:
            return found
        time.sleep(0.05)
    raise BenchmarkError(f"a server did not start: {log.read_text()[-1500:]}")


def _tree(root: int) -> list[int]:
    parents = {}
    for path in Path("/proc").iterdir():
        if path.name.isdecimal():
            try:
                parents[int(path.name)] = int(_stat(int(path.name))[1])
            except OSError:
                continue
    family = [root]
    for member in family:
        family.extend(pid for pid, parent in parents.items() if parent == member)
    return family


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command's name, from the state on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _cpu_s(pid: int) -> float:
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND


def _rss(pid: int) -> int:
    return int(_stat(pid)[21]) * os.sysconf("SC_PAGE_SIZE")
