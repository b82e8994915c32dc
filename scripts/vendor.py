"""Fetches the front-end files the product ships from npm, and writes what they are to a manifest beside them.

A manifest lists for each package its name, version, licence (SPDX) and files with their SHA-256;
`tests/test_packaging.py` holds the tree to it.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Package:
    name: str
    version: str
    licence: str
    folder: str
    files: dict[str, str]
    """From patterns in the npm package to paths under `folder`; one that ends in a slash keeps names."""


SHIPPED = [
    Package("htmx.org", "4.0.1", "0BSD", "htmx", {"LICENSE": "LICENSE.txt", "dist/htmx.min.js": "htmx.min.js"}),
    Package(
        "pretendard",
        "1.3.9",
        "OFL-1.1",
        "pretendard",
        {
            "dist/LICENSE.txt": "LICENSE.txt",
            "dist/web/variable/pretendardvariable-dynamic-subset.css": "pretendard.css",
            "dist/web/variable/woff2-dynamic-subset/*.woff2": "woff2/",
        },
    ),
]
FOR_TESTS = [
    Package("axe-core", "4.14.1", "MPL-2.0", ".", {"LICENSE": "LICENSE.txt", "axe.min.js": "axe.min.js"}),
]


def download(package: Package, into: Path) -> Path:
    """The package's tarball, which npm has checked against the registry's integrity hash."""
    command = ["npm", "pack", "--silent", f"--pack-destination={into}", f"{package.name}@{package.version}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"vendor: npm has no {package.name} {package.version} for us: {done.stderr.strip()[-200:]}")
    return into / done.stdout.split()[-1]


def extract(package: Package, tarball: Path, folder: Path) -> list[Path]:
    """Writes the package's wanted files below `folder`; every pattern must find something."""
    written = []
    with tarfile.open(tarball) as archive:
        names = {name.removeprefix("package/"): name for name in archive.getnames()}
        for pattern, target in package.files.items():
            matches = fnmatch.filter(names, pattern)
            if not matches:
                sys.exit(f"vendor: {package.name} {package.version} holds no {pattern}")
            for match in matches:
                path = folder / (target + Path(match).name if target.endswith("/") else target)
                path.parent.mkdir(parents=True, exist_ok=True)
                member = archive.extractfile(names[match])
                if member is None:
                    sys.exit(f"vendor: {match} of {package.name} is no file")
                path.write_bytes(member.read())
                written.append(path)
    return written


def tighten(css: str) -> str:
    """The font's style sheet with our folder's paths, without idle white space; its licence comment stays."""
    licence, rules = css.split("*/", 1)
    rules = rules.replace("./woff2-dynamic-subset/", "woff2/")
    rules = re.sub(r"/\*.*?\*/", "", rules, flags=re.DOTALL)
    rules = re.sub(r"\s*([{}:;,])\s*", r"\1", rules).replace("}", "}\n")
    return f"{licence}*/\n{rules.strip()}\n"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def vendor(packages: list[Package], root: Path) -> None:
    """Replaces `root` by the packages' files and their manifest, once all of them have been had."""
    with tempfile.TemporaryDirectory() as temporary:
        downloads, tree = Path(temporary) / "downloads", Path(temporary) / "tree"
        downloads.mkdir()
        manifest = []
        for package in packages:
            print(f"vendor: {package.name} {package.version}")
            files = extract(package, download(package, downloads), tree / package.folder)
            for sheet in (file for file in files if file.suffix == ".css"):
                sheet.write_text(tighten(sheet.read_text()))
            hashes = {str(file.relative_to(tree)): sha256(file) for file in sorted(files)}
            identity = {"name": package.name, "version": package.version, "licence": package.licence}
            manifest.append({**identity, "files": hashes})
        (tree / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(tree, root)


if __name__ == "__main__":
    if shutil.which("npm") is None:
        sys.exit("vendor: npm is missing. Try: apt-get install npm")
    vendor(SHIPPED, ROOT / "static" / "vendor")
    vendor(FOR_TESTS, ROOT / "tests" / "vendor")
