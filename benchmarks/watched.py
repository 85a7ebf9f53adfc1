"""The program with counters: fsyncs, those on the loop's thread, and the longest step of the loop (the default loop).

Usage: watched.py ARGUMENT ..., the program's own. Prints the counters as JSON on the last line of standard error.
"""

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

SEEN = {"fsyncs": 0, "fsyncs_on_loop": 0, "longest_block_s": 0.0}


def counted(sync: Callable[[Any], None]) -> Callable[[Any], None]:
    """An fsync that is counted."""

    def call(number: Any) -> None:
        SEEN["fsyncs"] += 1
        SEEN["fsyncs_on_loop"] += threading.current_thread() is threading.main_thread() and _running()
        sync(number)

    return call


def _running() -> bool:
    return asyncio._get_running_loop() is not None  # noqa: SLF001  # the only way that does not raise


def timed(step: Callable[[Any], None]) -> Callable[[Any], None]:
    """A step of the loop that is timed, by the processor time of its thread: others may want the processor too."""

    def run(handle: Any) -> None:
        began = time.thread_time()
        step(handle)
        SEEN["longest_block_s"] = max(SEEN["longest_block_s"], time.thread_time() - began)

    return run


def main() -> int:
    for name in ("fsync", "fdatasync"):
        setattr(os, name, counted(getattr(os, name)))
    asyncio.Handle._run = timed(asyncio.Handle._run)  # type: ignore[assignment,method-assign]  # noqa: SLF001
    sys.modules["uvloop"] = None  # type: ignore[assignment]  # its steps cannot be timed
    from orchestrator.app.process import event_loop  # noqa: PLC0415  # after the counters

    event_loop.backend_options = lambda: {"use_uvloop": False}
    from orchestrator.cli.main import main as program  # noqa: PLC0415

    code = program(sys.argv[1:])
    print(json.dumps(SEEN), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
