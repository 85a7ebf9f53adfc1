"""Take out every protection, one at a time, in copies of the project, and see its tests fail: `make mutants`.

Exit 1 when the tests of a protection pass without it, when they fail with it, or when the code does not say any more
what is to be taken out. With words: only the mutants whose names contain one of them.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from fakes.documents import ROOT
from mutants.table import Mutant, mutants

#: A mutant may make its tests hang, which is a failure too.
_PATIENCE_S = 180.0

#: Exit codes of pytest by which no test was run.
_NOT_RUN = frozenset({4, 5})

_NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build")

#: What Python and pytest make of the files is made once, and lies in every copy.
_PREPARED = (("compileall", "-q", "orchestrator"), ("pytest", "--collect-only", "-q", "-p", "no:cacheprovider"))


def main(words: list[str]) -> int:
    """Try them all, as many at once as there are cores."""
    chosen = [each for each in mutants() if not words or any(word in each.name for word in words)]
    jobs = os.cpu_count() or 1
    copies: SimpleQueue[Path] = SimpleQueue()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        first = _prepared(Path(folder, "0"))
        failing = _failing(chosen, first, jobs)
        copies.put(first)
        for number in range(1, jobs):
            copies.put(Path(shutil.copytree(first, Path(folder, str(number)))))
        verdicts = list(_told(pool.map(lambda mutant: (mutant, _try(mutant, copies, failing)), chosen)))
    wrong = [verdict for verdict in verdicts if verdict != "noticed"]
    sys.stdout.write(f"{len(verdicts)} protections taken out, {len(wrong)} of them unnoticed, not found or red\n")
    return 1 if wrong else 0


def _prepared(copy: Path) -> Path:
    """A copy of the project in which mutants are tried, compiled."""
    shutil.copytree(ROOT, copy, ignore=_NOT_COPIED)
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    for words in _PREPARED:
        command = [sys.executable, "-m", *words]
        subprocess.run(command, cwd=copy, env={**environ, "PYTHONPATH": str(copy)}, capture_output=True, check=False)
    return copy


def _failing(chosen: list[Mutant], copy: Path, jobs: int) -> tuple[str, ...]:
    """The tests of all of them that fail while nothing is taken out: they would notice anything."""
    names = sorted({test for mutant in chosen for test in mutant.tests})
    done = _run(copy, "-rfE", "-n", str(jobs), *names)
    lines = done.stdout.decode(errors="replace").splitlines()
    found = tuple(line.split(" ", 2)[1] for line in lines if line.startswith(("FAILED ", "ERROR ")))
    if done.returncode and not found:
        raise RuntimeError(done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace"))
    return found


def _told(results: Iterator[tuple[Mutant, str]]) -> Iterator[str]:
    for mutant, verdict in results:
        sys.stdout.write(f"{verdict:10} {mutant.name}: {mutant.protection}\n")
        sys.stdout.flush()
        yield verdict


def _try(mutant: Mutant, copies: "SimpleQueue[Path]", failing: tuple[str, ...]) -> str:
    if not mutant.applies(ROOT):
        return "not found"
    if any(test.startswith(mutant.tests) for test in failing):
        return "RED"
    copy = copies.get()
    path = copy / "orchestrator" / mutant.file
    try:
        mutant.apply(copy)
        return "noticed" if _fails(mutant, copy) else "UNNOTICED"
    finally:
        shutil.copy2(ROOT / "orchestrator" / mutant.file, path)  # with its time: its compiled form is right again
        copies.put(copy)


def _fails(mutant: Mutant, copy: Path) -> bool:
    """Whether a test of the protection fails, or does not end."""
    try:
        done = _run(copy, "-x", *mutant.tests, patience_s=_PATIENCE_S)
    except subprocess.TimeoutExpired:
        return True
    if done.returncode in _NOT_RUN:
        raise RuntimeError(f"{mutant.name}: {done.stdout.decode()}{done.stderr.decode()}")
    return done.returncode != 0


def _run(copy: Path, *words: str, patience_s: float | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    environ = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=copy, env=environ, capture_output=True, timeout=patience_s, check=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
