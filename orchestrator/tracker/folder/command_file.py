"""The fleet's command file: how `hold`, `release` and `settle` reach the process that owns the journal.

Commands are lines of the journal's form, numbered from 1, appended under a lock on the file and synced before the verb
returns. The owner polls, carries out what is new, and records the number with what came of it. Nobody else acts on
them.
"""

import fcntl
import os
from pathlib import Path

from orchestrator.errors import JournalDamaged
from orchestrator.model.plan.commands import Command
from orchestrator.tracker.disk import guard, make_folder, open_private, sync_folder, write_all
from orchestrator.tracker.folder.paths import COMMANDS
from orchestrator.tracker.journal.decoder import Decoder
from orchestrator.tracker.journal.line import decode_line, encode_lines, read_lines

_decoder: Decoder[Command] = Decoder(Command)


def append_command(folder: Path, command: Command) -> int:
    """Give a command to a fleet, and return its number once it is on disk.

    Raises:
        JournalDamaged: the file is not what was written.
        StateError: it cannot be written.
    """
    make_folder(folder)
    path = folder / COMMANDS
    with guard(path, "write"):
        handle = open_private(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            number, end = _last(path)
            os.ftruncate(handle, end)  # a torn line: its writer died before it knew that the line counts
            write_all(handle, encode_lines([command], number + 1))
            os.fsync(handle)
            sync_folder(folder)
        finally:
            os.close(handle)
    return number + 1


class CommandInbox:
    """Reads a fleet's commands again and again; asking costs one `stat` as long as nothing is new.

    Args:
        folder: of the fleet.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / COMMANDS
        self._number = 0
        self._end = 0

    def new(self, after: int = 0) -> list[tuple[int, Command]]:
        """The commands that came since the last call and have a higher number than `after`.

        Raises:
            JournalDamaged: the file is not what was written.
            StateError: it cannot be read.
        """
        with guard(self._path, "read"):
            size = self._path.stat().st_size if self._path.exists() else 0
        if size == self._end:
            return []
        if size < self._end:
            raise JournalDamaged(f"{self._path}: commands that were there are gone")
        found = []
        for line in read_lines(self._path, start=self._end, after=self._number):
            self._number, self._end = line.number, line.end
            if line.number > after:
                found.append((line.number, decode_line(_decoder, self._path, line)))
        return found


def _last(path: Path) -> tuple[int, int]:
    number = end = 0
    for line in read_lines(path):
        number, end = line.number, line.end
    return number, end
