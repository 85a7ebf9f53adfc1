"""One thing that a night needs, and whether it is there."""

from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias

from msgspec import Struct

from orchestrator.errors import OrchestratorError

DiagnosisState: TypeAlias = Literal["well", "wrong", "untried"]


class Diagnosis(Struct, frozen=True):
    """What was found of one check.

    Attributes:
        about: `host`, or `scope` with the scope's name.
        check: what was looked at, in a word or two.
        state: `untried` is neither good nor bad: nothing was seen.
        words: what was seen.
        remedy: what to do; None when there is nothing to do.
    """

    about: str
    check: str
    state: DiagnosisState
    words: str
    remedy: str | None = None


def attempt(about: str, check: str, look: Callable[[], Diagnosis]) -> Diagnosis:
    """What a look finds. An error is a diagnosis too: it says what happened and what to do."""
    try:
        return look()
    except OrchestratorError as error:
        return Diagnosis(about, check, "wrong", str(error), error.hint)


def all_well(diagnoses: Iterable[Diagnosis]) -> bool:
    """Whether nothing is wrong, as far as it could be tried."""
    return all(diagnosis.state != "wrong" for diagnosis in diagnoses)
