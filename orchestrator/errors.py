"""Every exception that ends a verb, as one tree. What happens to a single target is data, never an exception.

OrchestratorError
├── UsageError          the command line is wrong                              exit 2
├── PlanError           the plan is wrong, or changed so that --new is needed  exit 2
├── FleetLocked         another process holds the fleet's lock                 exit 4
├── ScopeUnusable       a scope cannot be used: unreachable, refused           exit 7
├── StateError          the state folder cannot be used                        exit 8
│   └── JournalDamaged  a line of the journal is not what was written          exit 8
└── Broken              a bug of this program, with its place                  exit 70

`for_people` makes one of them of any other exception, and `place_of` says of it what it is and where it was raised.
"""

from collections.abc import Iterator
from enum import IntEnum

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


class ScopeUnusable(OrchestratorError):
    """A scope cannot be reached, refuses the credentials, or does not hold what the plan expects."""

    exit_code = ExitCode.SCOPE_UNUSABLE


class StateError(OrchestratorError):
    """The state folder is full, read-only, missing, or written by a newer version."""

    exit_code = ExitCode.STATE_UNUSABLE


class JournalDamaged(StateError):
    """A line of a journal is not what was written; the message names file and line."""


#: What to do about a bug.
BUG_HINT = "this is a bug; run again with --log-level debug for the traceback. What was sent is on disk."


class Broken(OrchestratorError):
    """This program has failed in a way that nobody foresaw; the message names what failed, the error and its place."""

    def __init__(self, message: str, *, hint: str | None = BUG_HINT) -> None:
        super().__init__(message, hint=hint)


def for_people(error: Exception) -> OrchestratorError:
    """What to say to people about an error: the first of a group that has a message for them; of a bug, its place."""
    leaves = list(_leaves(error))
    spoken = [leaf for leaf in leaves if isinstance(leaf, OrchestratorError)]
    return min(spoken, key=lambda leaf: isinstance(leaf, Broken), default=Broken(f"internal error: {place_of(error)}"))


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    else:
        yield error


def place_of(error: BaseException) -> str:
    """Type and place of an error, as in `KeyError at executor/dispatch.py:123`, without its text: it may be secret.

    The place is the innermost line of this program that it came through. Of a group it is the first error in it.
    """
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    place, trace = "", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        ours = file.startswith(_ROOT)
        if ours or not place:
            place = f" at {file.removeprefix(_ROOT) if ours else file.rpartition('/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__}{place}"
