"""The reference server, compiled on first use: see server.c."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
BUILT = HERE.parent / "build" / "bench"


def built(source: str) -> str:
    """The program compiled from a file of this folder; compiled again when the file is newer."""
    text, program = HERE / source, BUILT / Path(source).stem
    if not program.exists() or program.stat().st_mtime < text.stat().st_mtime:
        compiler = shutil.which("cc") or sys.exit("make bench needs a C compiler (cc)")
        BUILT.mkdir(parents=True, exist_ok=True)
        subprocess.run([compiler, "-O2", "-Wall", "-o", str(program), str(text)], check=True)
    return str(program)


@contextmanager
def cloud(latency_s: float = 0.0, port: int = 0) -> Iterator[tuple[int, dict[str, float]]]:
    """A server, on a free port unless one is given; what it saw is filled in when the block ends."""
    command = [built("server.c"), str(latency_s * 1000), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    saw: dict[str, float] = {}
    try:
        yield int(process.stdout.readline()), saw
    finally:
        process.terminate()
        saw.update(json.loads(process.stdout.readline()))
        process.wait()
