"""End a program with all that it started, also what has left its group, its session and its parent.

Each program is given a mark in its environment, which its children inherit. Where the system shows processes under
`/proc`, as Linux does, all are found that bear the mark, or whose parents do. Elsewhere only its group ends with it.
What empties its environment and leaves its parent as well, or runs as another user, is not found.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

_PROC = Path("/proc")

_MARK = "ORCHESTRATOR_STARTED"

#: What is started while others are being ended is found in the next round.
_ROUNDS = 10

#: It has ended meanwhile, or runs as another user.
_NOT_OURS = (ProcessLookupError, PermissionError)


def marked(environ: dict[str, str]) -> tuple[dict[str, str], bytes]:
    """An environment for one program, and the mark in it by which its family is known."""
    value = uuid4().hex
    return {**environ, _MARK: value}, f"{_MARK}={value}".encode()


def end_family(leader: int | None, mark: bytes) -> None:
    """Kill a program with its group, and all that bear its mark or come from it.

    Args:
        leader: its number; None when it has been waited for, so that the number may be another's.
        mark: see `marked`.
    """
    ended: set[int] = set()
    for _ in range(_ROUNDS):
        found = _family(leader, mark) - ended
        for pid in found:
            with suppress(*_NOT_OURS):
                os.kill(pid, signal.SIGKILL)
        if leader is not None:
            with suppress(*_NOT_OURS):
                os.killpg(leader, signal.SIGKILL)
        if not found:
            return
        ended |= found


def _family(leader: int | None, mark: bytes) -> set[int]:
    parents = {pid: parent for pid in _processes() if (parent := _parent(pid)) is not None}
    found = {pid for pid in parents if pid == leader or _bears(pid, mark)}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _processes() -> Iterator[int]:
    with suppress(OSError):
        yield from (int(path.name) for path in _PROC.iterdir() if path.name.isdigit())


def _parent(pid: int) -> int | None:
    """The parent of a process; None when it has ended."""
    try:
        fields = (_PROC / f"{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[1])


def _bears(pid: int, mark: bytes) -> bool:
    try:
        return mark in (_PROC / f"{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
