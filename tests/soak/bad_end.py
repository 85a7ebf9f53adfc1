"""How a process of a trial ended that came to no end of its own."""

from soak.evidence import How, Process
from soak.life import Died, Life

from orchestrator.errors import ExitCode, StateError, TakenOver


def ended_badly(process: Process, life: Life, error: BaseException) -> None:
    """Note what an error means for a process.

    Raises:
        BaseException: the error, when nothing was arranged that explains it.
    """
    process.how = _how(error, life)
    process.why = f"an exception was raised at {process.ordeal.raises}" if process.how == "broken" else ""
    process.code = ExitCode.STATE_UNUSABLE if process.how == "disk_full" else None
    process.death = life.death if life.dead else None


def _how(error: BaseException, life: Life) -> How:
    """Why a process ended badly; anything that was not arranged is a defect of the program."""
    if life.dead:
        return "died"
    if _holds(error, TakenOver):
        return "replaced"
    if _holds(error, StateError):
        return "disk_full"
    if life.raised:
        return "broken"
    raise error


def _holds(error: BaseException, kind: type[BaseException]) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(_holds(each, kind) for each in error.exceptions)
    return isinstance(error, kind | Died)
