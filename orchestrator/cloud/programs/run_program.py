"""Run a program without a shell, with a time-out, and bring back how it ended and what it printed."""

import os
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from subprocess import DEVNULL, PIPE, STDOUT, Popen, TimeoutExpired
from threading import Event, Timer
from typing import NamedTuple

from anyio import CapacityLimiter, fail_after, to_thread

from orchestrator.cloud.programs.family import end_family, marked

#: Of a token, the largest thing that a program prints for us.
MAX_BYTES = 64 << 10
_LOOK_EVERY_S = 0.01
_KILLED_WITHIN_S = 1.0


class Ran(NamedTuple):
    """How a program ended, negative by a signal, and what it printed."""

    status: int
    output: bytes


class ProgramFailed(Exception):
    """It could not be run, or did not end; the message goes on after its name, and holds nothing that it wrote."""


class _GivenUp(ProgramFailed):
    """Nobody waits for it any more."""


async def run_program(
    command: tuple[str, ...], environ: Mapping[str, str], *, timeout_s: float, told: bytes = b"", words: bool = False
) -> Ran:
    """Run it to its end.

    Args:
        command: the program and its arguments.
        environ: all that it finds in its environment.
        timeout_s: after this it is killed with its children, see `family`.
        told: what stands on its standard input; less than a pipe holds.
        words: what it prints is for people: also what it writes to standard error, and of more than 64 KiB the first.

    Raises:
        ProgramFailed: it cannot be run, did not end, or printed more than 64 KiB that are not just words.
    """
    given_up = Event()
    try:
        with fail_after(timeout_s):
            run = partial(_ran, command, dict(environ), told, given_up, words=words)
            alone = CapacityLimiter(1)  # a thread of its own: its time must not pass while it waits for another's
            return await to_thread.run_sync(run, abandon_on_cancel=True, limiter=alone)
    except TimeoutError:
        raise ProgramFailed(f"did not end within {timeout_s:g} s") from None
    except (OSError, ValueError, IndexError) as error:
        raise _not_run(error) from error
    finally:
        given_up.set()


def run_here(
    command: tuple[str, ...], environ: Mapping[str, str], *, timeout_s: float, told: bytes = b"", heard: bool = True
) -> Ran:
    """The same in the thread of the caller; what it prints is nobody's unless it is `heard`."""
    given_up = Event()
    alarm = Timer(timeout_s, given_up.set)
    alarm.start()
    try:
        return _ran(command, dict(environ), told, given_up, heard=heard)
    except _GivenUp:
        raise ProgramFailed(f"did not end within {timeout_s:g} s") from None
    except (OSError, ValueError, IndexError) as error:
        raise _not_run(error) from error
    finally:
        alarm.cancel()


def _not_run(error: Exception) -> ProgramFailed:
    return ProgramFailed(f"cannot be run: {getattr(error, 'strerror', None) or error}")


def _ran(
    command: tuple[str, ...],
    environ: dict[str, str],
    told: bytes,
    given_up: Event,
    *,
    heard: bool = True,
    words: bool = False,
) -> Ran:
    """It leads a group of its own, and is killed with all that it started when it fails us.

    What it leaves behind when it has ended, such as an agent, lives on and may keep the output open: nobody waits for
    that.
    """
    environ, mark = marked(environ)
    process = Popen(  # noqa: S603  # the plan's own command, and no shell
        command,
        stdin=PIPE if told else DEVNULL,
        stdout=PIPE if heard else DEVNULL,
        stderr=STDOUT if words else DEVNULL,
        env=environ,
        start_new_session=True,
    )
    try:
        _tell(process, told)
        output = _read(process, given_up, words=words)
    except ProgramFailed:
        end_family(process.pid if process.returncode is None else None, mark)
        with suppress(TimeoutExpired):
            process.wait(_KILLED_WITHIN_S)
        raise
    finally:
        if process.stdout is not None:
            process.stdout.close()
    return Ran(process.returncode, output)


def _tell(process: "Popen[bytes]", told: bytes) -> None:
    if process.stdin is not None:
        with suppress(BrokenPipeError):  # it reads nothing, and need not
            process.stdin.write(told)
            process.stdin.flush()
        with suppress(BrokenPipeError):
            process.stdin.close()


def _read(process: "Popen[bytes]", given_up: Event, *, words: bool) -> bytes:
    output = bytearray()
    while True:
        ended = process.poll() is not None  # asked first: all that it printed is in the pipe by then
        _take(process, output)
        if words:
            del output[MAX_BYTES:]
        if len(output) > MAX_BYTES:
            raise ProgramFailed(f"printed more than {MAX_BYTES} bytes")
        if ended:
            return bytes(output)
        if given_up.wait(_LOOK_EVERY_S):
            raise _GivenUp("was given up")


def _take(process: "Popen[bytes]", output: bytearray) -> None:
    """What is in the pipe now."""
    if process.stdout is None:
        return
    os.set_blocking(process.stdout.fileno(), False)
    with suppress(BlockingIOError):
        before = len(output)
        while len(output) <= before + MAX_BYTES and (chunk := os.read(process.stdout.fileno(), MAX_BYTES)):
            output += chunk
