"""Read the small files that hold secrets, off the event loop, and say what is wrong without saying what is in them."""

from collections.abc import Mapping
from pathlib import Path

from anyio import to_thread

from orchestrator.cloud.credentials.credential import unusable
from orchestrator.cloud.wire.own_files import open_own
from orchestrator.host import path_of
from orchestrator.model.reply.reply import Unauthenticated

_MAX_BYTES = 64 << 10


async def read_text(path: Path) -> str | Unauthenticated:
    """The whole file as text; no line of it is ever part of the failure."""
    try:
        content = await to_thread.run_sync(_head, path)
    except OSError as error:
        return unusable(f"{path}: {error.strerror or 'cannot be read'}")
    if len(content) > _MAX_BYTES:
        return unusable(f"{path}: larger than {_MAX_BYTES} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return unusable(f"{path}: not a text file in UTF-8")


def _head(path: Path) -> bytes:
    with open_own(path) as file:
        return file.read(_MAX_BYTES + 1)


def at_home(path: str, environ: Mapping[str, str]) -> Path:
    """The path, `~` being the home that the environment names."""
    home = environ.get("HOME")
    return Path(home, path[2:]) if home and path.startswith("~/") else path_of(path)
