"""What was found, for people."""

from collections.abc import Iterator, Sequence

from orchestrator.app.doctor.diagnosis import Diagnosis, DiagnosisState

_MARKS: dict[DiagnosisState, str] = {"well": "✓", "wrong": "✗", "untried": "-"}


def diagnosis_lines(diagnoses: Sequence[Diagnosis]) -> Iterator[str]:
    """A mark, what was looked at, and what was seen, each on a line; below it what to do."""
    widths = [
        max(len(diagnosis.about) for diagnosis in diagnoses),
        max(len(diagnosis.check) for diagnosis in diagnoses),
    ]
    for diagnosis in diagnoses:
        head = f"{_MARKS[diagnosis.state]} {diagnosis.about:{widths[0]}}  {diagnosis.check:{widths[1]}}  "
        first, *more = diagnosis.words.splitlines() or [""]
        yield head + first
        yield from (" " * len(head) + line for line in more)
        if diagnosis.remedy:
            yield " " * len(head) + f"to do: {diagnosis.remedy}"


def diagnosis_sum(diagnoses: Sequence[Diagnosis]) -> str:
    """How many of each, in one line."""
    counts = {state: sum(diagnosis.state == state for diagnosis in diagnoses) for state in _MARKS}
    return f"{counts['well']} well, {counts['wrong']} wrong, {counts['untried']} not tried; nothing was sent"
