"""Every exception that ends a verb, as one tree. What happens to a single target is data, never an exception.

OrchestratorError
├── UsageError          the command line is wrong                              exit 2
├── PlanError           the plan is wrong, or changed so that --new is needed  exit 2
├── FleetLocked         another process holds the fleet's lock                 exit 4
├── ScopeUnusable       a scope cannot be used: unreachable, refused           exit 7
├── StateError          what a run stands on cannot be used: its state folder  exit 8
│   ├── JournalDamaged  a line of the journal is not what was written          exit 8
│   └── HostError       the machine gives no memory, threads, files, folder    exit 8
└── Broken              a bug of this program, with its place                  exit 70

`for_people` makes one of them of any other exception, `host_error` of one that is about the machine. `place_of` says
what an error is and where it was raised.
"""

import errno
from collections.abc import Iterator
from enum import IntEnum
from types import TracebackType

#: The folder of this program, with a slash at its end.
_ROOT = __file__.rpartition("/")[0] + "/"


class ExitCode(IntEnum):
    """What the process says to cron, the same for every verb."""

    DONE = 0
    OTHER_OUTCOMES = 1
    USAGE = 2
    HELD = 3
    LOCKED = 4
    MORE_TO_DO = 5
    PERSON_NEEDED = 6
    SCOPE_UNUSABLE = 7
    STATE_UNUSABLE = 8
    INTERNAL = 70


#: When several codes apply, the first of these is the one that is reported.
PRECEDENCE = (
    ExitCode.INTERNAL,
    ExitCode.STATE_UNUSABLE,
    ExitCode.SCOPE_UNUSABLE,
    ExitCode.HELD,
    ExitCode.PERSON_NEEDED,
    ExitCode.MORE_TO_DO,
    ExitCode.OTHER_OUTCOMES,
    ExitCode.DONE,
)


class OrchestratorError(Exception):
    """Ends the verb with a message for a person.

    Args:
        message: what happened and where.
        hint: what to do next, printed on a line of its own.
    """

    exit_code = ExitCode.INTERNAL

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(OrchestratorError):
    """The command line asks for something that cannot be done."""

    exit_code = ExitCode.USAGE


class PlanError(OrchestratorError):
    """The plan cannot be used; the message holds every problem, one a line, each with its place."""

    exit_code = ExitCode.USAGE


class FleetLocked(OrchestratorError):
    """Another process works on this fleet."""

    exit_code = ExitCode.LOCKED


class FleetHeld(OrchestratorError):
    """A hold outlives the run that it stopped: no run begins before a release."""

    exit_code = ExitCode.HELD


class ScopeUnusable(OrchestratorError):
    """A scope cannot be reached, refuses the credentials, or does not hold what the plan expects."""

    exit_code = ExitCode.SCOPE_UNUSABLE


class StateError(OrchestratorError):
    """The state folder is full, read-only, missing, or written by a newer version."""

    exit_code = ExitCode.STATE_UNUSABLE


class JournalDamaged(StateError):
    """A line of a journal is not what was written; the message names file and line."""


class TakenOver(StateError):
    """Another host works on the fleet, because this one was silent for too long. It follows what was under way."""

    exit_code = ExitCode.LOCKED


class HostError(StateError):
    """The machine does not give this process what it needs, which is no bug: memory, threads, open files, a folder."""


#: What to do when the machine gives no more of something, by the error's number; the same of any file.
HOST_HINTS = {
    errno.ENOMEM: "give it more memory (ulimit -v, MemoryMax= of systemd, limits.memory of Kubernetes) and start again",
    errno.EAGAIN: "allow it more processes and threads (ulimit -u, TasksMax= of systemd) and start again",
    errno.EMFILE: "open files: this process may open no more; raise the limit (ulimit -n) and start again",
    errno.ENFILE: "open files: this machine may open no more; close some, or raise fs.file-max, and start again",
}

#: What the interpreter and the dynamic loader say when there is no memory for a thread or a library.
_NO_ROOM = ("can't start new thread", "failed to map segment", "annot allocate memory")


def host_error(error: BaseException) -> HostError | None:
    """What the machine does not give, if that is what an error is about; None of a bug."""
    no_room = isinstance(error, RuntimeError | ImportError | OSError) and any(words in str(error) for words in _NO_ROOM)
    if no_room or isinstance(error, MemoryError):
        words = "the machine gives this process no more memory or threads"
        return HostError(words, hint=f"{HOST_HINTS[errno.ENOMEM]}; else {HOST_HINTS[errno.EAGAIN]}")
    if not isinstance(error, OSError):
        return None
    why = error.strerror or str(error)
    if error.errno in HOST_HINTS:
        return HostError(f"the machine refuses: {why}", hint=HOST_HINTS[error.errno])
    if error.filename is not None:
        return HostError(f"{error.filename}: {why}", hint="give this user what is named here, then start again")
    if error.errno == errno.ENOENT:  # of `getcwd`, which alone names no file
        return HostError(
            "the working folder of this process is gone", hint="change to one that exists (cd), then again"
        )
    return None


def refused_by_host(error: BaseException) -> str:
    """What the machine does not give and what to do about it, if that is what an error is about; nothing of a bug."""
    refused = next(filter(None, map(host_error, _leaves(error))), None)
    return f"{refused}: {refused.hint}" if refused else ""


#: What to do about a bug that ends the program.
BUG_HINT = "this is a bug; run again with --log-level debug for the traceback. What was sent is on disk."

#: What to do about one that a session outlived; its place is all that was kept of it.
OUTLIVED_BUG_HINT = "this is a bug; please report it with its place. What was sent is on disk."


class Broken(OrchestratorError):
    """This program has failed in a way that nobody foresaw; the message names what failed, the error and its place."""

    def __init__(self, message: str, *, hint: str | None = BUG_HINT) -> None:
        super().__init__(message, hint=hint)


def for_people(error: Exception) -> OrchestratorError:
    """What to say to people about an error: the first of a group that has a message for them; of a bug, its place."""
    found = [leaf if isinstance(leaf, OrchestratorError) else host_error(leaf) for leaf in _leaves(error)]
    spoken = [each for each in found if each is not None]
    return min(spoken, key=lambda leaf: isinstance(leaf, Broken), default=Broken(f"internal error: {place_of(error)}"))


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    else:
        yield error


def place_of(error: BaseException) -> str:
    """Type and place of an error, as in `KeyError at executor/dispatch.py:123`, without its text: it may be secret.

    The place is the innermost line of this program that it came through; where that called a library in which it was
    raised, the library's place follows: `, raised in aiohttp/client.py:703`. Of a group it is the first error in it.
    """
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    lines = [(line.tb_frame.f_code.co_filename, line.tb_lineno) for line in _trace(error.__traceback__)]
    ours = [(file.removeprefix(_ROOT), number) for file, number in lines if file.startswith(_ROOT)]
    places = [f" at {file}:{number}" for file, number in ours[-1:]]
    if lines and not lines[-1][0].startswith(_ROOT):
        file, number = lines[-1]
        places.append(f"{', raised in' if ours else ' in'} {'/'.join(file.split('/')[-2:])}:{number}")
    return type(error).__name__ + "".join(places)


def _trace(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next
