"""Whose a folder of the state is, and who may write there: asked once for every verb, before anything in it is used.

What others may change is no memory to rely on: a line taken out of a journal is an upgrade that is sent twice. And what
one user begins in another's folder, that one cannot go on with.
"""

import os
import pwd
import stat
from pathlib import Path

from orchestrator.errors import StateError
from orchestrator.tracker.disk import guard

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def check_folder(path: Path, *, writes: bool) -> None:
    """Refuse a folder that others may write into, or, for writing, one of another user. One that is not there is fine.

    Args:
        path: of the folder.
        writes: whether the verb writes there; readers may read what another user lets them.

    Raises:
        StateError: it is refused, or cannot be looked at.
    """
    with guard(path, "use the folder"):
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError):  # the code that makes it says what is in the way
            return
    if not stat.S_ISDIR(found.st_mode):
        return
    if found.st_uid != os.geteuid() and (writes or not os.access(path, os.R_OK | os.X_OK)):
        owner, us = _user(found.st_uid), _user(os.geteuid())
        raise StateError(
            f"{path}: belongs to {owner}, and this is {us}",
            hint=f"start it as {owner}, or hand the folder over: chown -R {us} {path}",
        )
    if found.st_mode & _OTHERS_WRITE:
        raise StateError(
            f"{path}: others may write into it (mode {stat.S_IMODE(found.st_mode):04o})",
            hint=f"see that nobody has, then: chmod go-w {path}",
        )


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
