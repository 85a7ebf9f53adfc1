"""Open the small files that a site keeps for us: never waiting, and never what others may have put in their place."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

#: Those whose links are followed, beside the user of the process: the one who may change everything anyway.
_ROOT = 0


def open_own(path: Path) -> BinaryIO:
    """A regular file, for reading.

    A link in its place is followed only when link and file belong to root or to us and others may not write the file:
    so a secret that Kubernetes mounts, which is a link of root's, can be used, and one that another user has put into
    a folder that many may write cannot.

    Raises:
        OSError: it cannot be opened, is no regular file, or a link that is not followed.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC  # a FIFO without a writer would wait for one
    linked = False
    try:
        handle = os.open(path, flags | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        linked, handle = True, os.open(path, flags)
    file = os.fdopen(handle, "rb")
    wrong = _wrong(os.fstat(handle), os.lstat(path) if linked else None)
    if wrong is None:
        return file
    file.close()
    raise OSError(errno.EINVAL, wrong)


def _wrong(found: os.stat_result, link: os.stat_result | None) -> str | None:
    if not stat.S_ISREG(found.st_mode):
        return "Not a regular file"
    if link is None:
        return None
    if not {link.st_uid, found.st_uid} <= {_ROOT, os.geteuid()}:
        return "A link that belongs to another user, or to another user's file, is not followed"
    return "A link to a file that everybody may write is not followed" if found.st_mode & stat.S_IWOTH else None
