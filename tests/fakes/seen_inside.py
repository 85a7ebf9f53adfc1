"""What a process sees of the way in which it was started: a program that prints it, and ends with its first word."""

import gc
import json
import locale
import os
import resource
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any


def seen() -> dict[str, Any]:
    """All of it, without the numbers that no two processes share."""
    return {
        "words": sys.argv[1:],
        "environ": dict(os.environ),
        "folder": str(Path.cwd()),
        "path": sys.path,
        "streams": [_stream(each) for each in (sys.stdin, sys.stdout, sys.stderr, sys.__stdout__)],
        "files": sorted(name for name in os.listdir("/proc/self/fd") if Path(f"/proc/self/fd/{name}").exists()),  # noqa: PTH208
        "signals": {str(each): str(signal.getsignal(each)) for each in signal.valid_signals()},
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "group": [os.getpgid(0) == os.getpid(), os.getsid(0) == os.getpid()],
        "limits": [
            resource.getrlimit(each) for each in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_AS)
        ],
        "umask": next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("Umask")),
        "zone": [time.tzname, time.timezone],
        "locale": [*locale.getlocale(), sys.getfilesystemencoding()],
        "interpreter": [str(sys.flags), sys.warnoptions, sys.getrecursionlimit(), gc.isenabled(), gc.get_threshold()],
        "threads": threading.active_count(),
        "main": [sys.modules["__main__"].__name__, sys.modules["__main__"].__spec__ is not None],
    }


def _stream(stream: Any) -> list[Any]:
    return [stream.encoding, stream.errors, stream.line_buffering, stream.isatty(), stream.fileno(), stream.mode]


if __name__ == "__main__":
    json.dump(seen(), sys.stdout)
    sys.stderr.write("an error\n")
    sys.exit(int(sys.argv[1]))
