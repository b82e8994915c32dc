"""What a clean checkout is installed from: the locks, the vendored front-end files, the make targets."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.pg import free_port

ROOT = Path(__file__).resolve().parent.parent
LOCKS = sorted(path.name for path in ROOT.glob("requirements*.lock"))
VENDORED = ROOT / "static" / "vendor"
SCRIPTS_AND_SHEETS = sorted(path for path in VENDORED.rglob("*") if path.suffix in {".css", ".js"})
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUNTIME = [Requirement(text) for text in PYPROJECT["project"]["dependencies"]]
DEVELOPMENT = [Requirement(text) for text in PYPROJECT["dependency-groups"]["dev"]]


def locked(lock: str) -> dict[str, Version]:
    """The versions a lock pins, by canonical name."""
    pins = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / lock).read_text(), flags=re.MULTILINE)
    return {canonicalize_name(name): Version(version) for name, version in pins}


def test_there_is_a_lock_for_each_group() -> None:
    groups = ["bootstrap", "dev", "models", "peers"]
    assert [*(f"requirements-{group}.lock" for group in groups), "requirements.lock"] == LOCKS


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_a_pin_or_its_hash(lock: str) -> None:
    entries = (ROOT / lock).read_text().replace("\\\n", " ").splitlines()
    entry = re.compile(r"[\w.-]+==\S+( ; [^#]+?)?(\s+--hash=sha256:[0-9a-f]{64})+")
    assert [line for line in entries if not entry.fullmatch(line.rstrip())] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address(lock: str) -> None:
    assert "://" not in (ROOT / lock).read_text()


@pytest.mark.parametrize("requirement", RUNTIME, ids=str)
def test_a_runtime_dependency_is_locked_within_its_bounds(requirement: Requirement) -> None:
    version = locked("requirements.lock")[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version)


@pytest.mark.parametrize("requirement", DEVELOPMENT, ids=str)
def test_a_development_dependency_is_locked_within_its_bounds(requirement: Requirement) -> None:
    version = locked("requirements-dev.lock")[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version)


def test_development_runs_the_very_versions_of_the_runtime() -> None:
    development = locked("requirements-dev.lock")
    runtime = locked("requirements.lock")
    assert {name: development.get(name) for name in runtime} == runtime


def test_the_tree_has_no_lock_that_would_record_an_index() -> None:
    assert [*ROOT.glob("uv.lock"), *ROOT.glob("pylock*.toml")] == []


@pytest.mark.parametrize("folder", [VENDORED, ROOT / "tests" / "vendor"], ids=["shipped", "for tests"])
def test_the_manifest_lists_every_vendored_file_with_its_hash(folder: Path) -> None:
    files = (path for path in folder.rglob("*") if path.is_file() and path != folder / "manifest.json")
    found = {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    packages = json.loads((folder / "manifest.json").read_text())
    listed = {path: digest for package in packages for path, digest in package["files"].items()}
    assert found == listed


@pytest.mark.parametrize("folder", [VENDORED, ROOT / "tests" / "vendor"], ids=["shipped", "for tests"])
def test_every_vendored_package_comes_with_its_licence(folder: Path) -> None:
    packages = json.loads((folder / "manifest.json").read_text())
    assert packages
    for package in packages:
        assert package["name"]
        assert package["version"]
        assert package["licence"]
        assert any(Path(path).name == "LICENSE.txt" for path in package["files"])


@pytest.mark.parametrize("path", SCRIPTS_AND_SHEETS, ids=lambda path: path.name)
def test_a_vendored_file_fetches_nothing_from_elsewhere(path: Path) -> None:
    code = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    assert re.findall(r"https?://[^\s'\"]+|url\(['\"]?//|@import|['\"`]//\w", code) == []


def test_the_font_style_sheet_leads_to_exactly_the_vendored_font_files() -> None:
    sheet = VENDORED / "pretendard" / "pretendard.css"
    targets = re.findall(r"url\(([^)]+)\)", sheet.read_text())
    assert sorted(targets) == sorted(f"woff2/{path.name}" for path in sheet.parent.glob("woff2/*"))
    assert len(targets) > 1


def make(*arguments: str) -> str:
    """What a make of its own prints, without what `make test` would lend it through the environment."""
    command = ["make", "-C", str(ROOT), *arguments]
    environment = {"PATH": os.environ["PATH"]}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_make_alone_explains_every_target() -> None:
    explained = set(re.findall(r"^(\w+) {2,}\S", make(), flags=re.MULTILINE))
    phony = re.findall(r"^\.PHONY: (.*)", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)[0].split()
    assert explained == {target for target in phony if not target.startswith("debian")}


def test_make_demo_sets_up_the_runtime_and_nothing_else() -> None:
    planned = make("--dry-run", "--always-make", "demo")
    assert re.findall(r"scripts/setup\.sh (.*?) &&", planned) == ["venv", "runtime"]
    assert "debian" not in planned


def test_make_demo_passes_its_variables_on() -> None:
    planned = make("--dry-run", "demo", "PORT=8123", "DIR=/tmp/elsewhere", "MODELS=real")
    assert "arena demo --port 8123 --dir /tmp/elsewhere --models real" in planned


@pytest.fixture(scope="module")
def runtime_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds the runtime lock's packages and nothing else."""
    uv = str(Path(sys.executable).with_name("uv"))
    environment = tmp_path_factory.mktemp("runtime") / "venv"
    python = environment / "bin" / "python"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(environment)], check=True)
    install = [uv, "pip", "install", "--quiet", "--require-hashes", "-r", "requirements.lock"]
    subprocess.run([*install, "--python", str(python)], cwd=ROOT, check=True)
    return python


def bare_environment() -> dict[str, str]:
    """Ours without what could lend the product packages or settings."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "ARENA_"))}


def run_with(python: Path, *arguments: str) -> str:
    done = subprocess.run(
        [python, *arguments], cwd=ROOT, env=bare_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_runtime_lock_alone_runs_the_command(runtime_python: Path) -> None:
    assert "demo" in run_with(runtime_python, "-m", "arena", "--help")


def test_the_runtime_lock_alone_holds_all_that_any_module_imports(runtime_python: Path) -> None:
    source = """
import importlib, pkgutil, arena
for module in pkgutil.walk_packages(arena.__path__, "arena."):
    if not module.name.endswith("__main__") and ".migrations." not in module.name:
        importlib.import_module(module.name)
"""
    run_with(runtime_python, "-c", source)


@contextmanager
def demo(python: Path, folder: Path) -> Iterator[str]:
    """A demo's address, once it listens; it is ended afterwards."""
    port = free_port()
    options = ["--port", str(port), "--dir", str(folder)]
    process = subprocess.Popen([python, "-m", "arena", "demo", *options], cwd=ROOT, env=bare_environment())
    try:
        while process.poll() is None and not answers(port):
            wait_a_moment(process)
        assert process.poll() is None, "the demo ended before it listened"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        finally:
            process.kill()


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).is_success
    except httpx.TransportError:
        return False


def wait_a_moment(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(timeout=0.05)
    except subprocess.TimeoutExpired:
        return


def test_the_runtime_lock_alone_serves_the_demo(runtime_python: Path, tmp_path: Path) -> None:
    with demo(runtime_python, tmp_path) as address:
        assert httpx.get(f"{address}/healthz", trust_env=False).status_code == 200
        assert "</html>" in httpx.get(address, trust_env=False).text
