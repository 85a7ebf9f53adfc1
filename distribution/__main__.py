"""`make dist`: wheel and sdist, each built twice and compared; a pex that is run; an SBOM; the SHA-256 of all."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from shutil import copy2, rmtree
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"


def main() -> int:
    """Make everything; 1 when two builds differ."""
    os.environ.setdefault("SOURCE_DATE_EPOCH", _date_of_commit())
    os.umask(0o022)
    rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    with TemporaryDirectory() as folder:
        first = build(ROOT, Path(folder) / "first")
        with unpacked(next(path for path in first if path.suffix == ".gz"), Path(folder)) as again:
            different = differing(first, build(again, Path(folder) / "second"))
        if different:
            _say(f"built twice and not equal: {', '.join(different)}")
            return 1
        for path in first:
            copy2(path, DIST)
    wheel = next(DIST.glob("*.whl"))
    make_pex(wheel, DIST / "orchestrator.pex")
    make_sbom(wheel, DIST / "sbom.cdx.json")
    lines = [f"{sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in sorted(DIST.iterdir())]
    (DIST / "SHA256SUMS").write_text("\n".join(lines) + "\n", encoding="utf-8")
    _say("\n".join(lines))
    return 0


def build(source: Path, out: Path) -> list[Path]:
    """Build sdist and wheel of a source tree, the wheel from the sdist."""
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source))
    return sorted(out.iterdir())


@contextmanager
def unpacked(sdist: Path, folder: Path) -> Iterator[Path]:
    """What is in an sdist, as a source tree of its own."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (source,) = (folder / "unpacked").iterdir()
    yield source


def differing(first: list[Path], second: list[Path]) -> list[str]:
    """Names of the files that two builds do not agree on."""
    one, two = ({path.name: path.read_bytes() for path in paths} for paths in (first, second))
    return sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))


def make_pex(wheel: Path, out: Path) -> None:
    """One file with all it needs, for hosts that have Python and no pip; it is run once."""
    _run(sys.executable, "-m", "pex", str(wheel), "--console-script", "orchestrator", "--output-file", str(out))
    _run(sys.executable, str(out), "--version")


def make_sbom(wheel: Path, out: Path) -> None:
    """What is installed with the wheel, as CycloneDX."""
    with TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder) / "bin/python")
        _run(python, "-m", "pip", "install", "--quiet", str(wheel))
        _run(python, "-m", "pip", "uninstall", "--quiet", "--yes", "pip", "setuptools")
        options = ["--output-reproducible", "--pyproject", str(ROOT / "pyproject.toml"), "--output-file", str(out)]
        _run(sys.executable, "-m", "cyclonedx_py", "environment", python, *options)


def _date_of_commit() -> str:
    asked = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=True)
    return asked.stdout.strip()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=sys.stderr)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
