"""What a verb that calls the cloud needs of its host, before HTTP is imported, which alone can fail or hang."""

from __future__ import annotations

import errno
import os
import resource
import stat

from orchestrator.errors import HOST_HINTS, HostError, UsageError

TYPE_CHECKING = False  # as `typing` has it, whose import would take longer than the rest
if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from orchestrator.cli.options import Options

#: Verbs that call a cloud, or are one.
_CALLERS = frozenset({"run", "plan", "init", "doctor", "simulate", "worker"})

#: Python writes the keys of every TLS connection into the file that this names: they make tokens readable in recorded
#: traffic.
_KEY_LOG = "SSLKEYLOGFILE"

#: With less address space the event loop ends the process without a word.
_LEAST_BYTES = 128 << 20

_FILE, _FOLDERS = "SSL_CERT_FILE", "SSL_CERT_DIR"
_HINT = "unset it to trust this system's authorities; http.ca_file of the plan adds others"


def expect_room_for(options: Options, environ: MutableMapping[str, str]) -> None:
    """See that a verb can make its calls, and that nothing writes down the keys of its connections.

    Raises:
        UsageError: what the environment names is not there, or too few files may be open.
        HostError: there is too little memory.
    """
    if options.verb not in _CALLERS or options.offline:
        return
    environ.pop(_KEY_LOG, None)
    _expect_authorities(environ)
    _expect_memory()
    from orchestrator.app.process.open_files import expect_files  # noqa: PLC0415  # not for verbs that call nobody

    expect_files(ends=2 if options.simulate else 1)


def _expect_authorities(environ: MutableMapping[str, str]) -> None:
    """OpenSSL passes over what it cannot read, and waits without end for a pipe."""
    if (file := environ.get(_FILE)) is not None and not (_is(stat.S_ISREG, file) and os.access(file, os.R_OK)):
        raise UsageError(f"environment variable {_FILE} names no file that this user may read", hint=_HINT)
    folders = environ.get(_FOLDERS)
    if folders is not None and not any(_is(stat.S_ISDIR, each) for each in folders.split(os.pathsep)):
        raise UsageError(f"environment variable {_FOLDERS} names no folder", hint=_HINT)


def _expect_memory() -> None:
    allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
    if allowed != resource.RLIM_INFINITY and allowed < _LEAST_BYTES:
        raise HostError(
            f"memory: this process may have {allowed >> 20} MiB, and needs at least {_LEAST_BYTES >> 20}",
            hint=HOST_HINTS[errno.ENOMEM],
        )


def _is(kind: Callable[[int], bool], path: str) -> bool:
    try:
        return kind(os.stat(path).st_mode)  # noqa: PTH116  # no `pathlib`
    except OSError:
        return False
