"""One thing that a night needs, and whether it is there."""

from collections.abc import Callable, Iterable
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from orchestrator.errors import OrchestratorError

DiagnosisState: TypeAlias = Literal["well", "wrong", "untried"]


class Diagnosis(Struct, frozen=True):
    """What was found of one check."""

    about: Annotated[str, Meta(description="`host`, or `scope` with the scope's name")]
    check: Annotated[str, Meta(description="What was looked at, in a word or two")]
    state: Annotated[DiagnosisState, Meta(description="untried: neither good nor bad, nothing was seen")]
    words: Annotated[str, Meta(description="What was seen")]
    remedy: Annotated[str | None, Meta(description="What to do; null when there is nothing to do")] = None


def attempt(about: str, check: str, look: Callable[[], Diagnosis]) -> Diagnosis:
    """What a look finds. An error is a diagnosis too: it says what happened and what to do."""
    try:
        return look()
    except OrchestratorError as error:
        return Diagnosis(about, check, "wrong", str(error), error.hint)


def all_well(diagnoses: Iterable[Diagnosis]) -> bool:
    """Whether nothing is wrong, as far as it could be tried."""
    return all(diagnosis.state != "wrong" for diagnosis in diagnoses)
