"""What a doctor found, for programs: `orchestrator.doctor/1`."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from orchestrator.app.doctor.diagnosis import Diagnosis, all_well

FORM: Literal["orchestrator.doctor/1"] = "orchestrator.doctor/1"


class DoctorDocument(Struct, frozen=True, kw_only=True):
    """Whether everything that a night needs is there."""

    schema: Annotated[Literal["orchestrator.doctor/1"], Meta(description="Form and version of this document")] = FORM
    name: Annotated[str, Meta(description="The fleet")]
    well: Annotated[bool, Meta(description="Whether nothing is wrong, as far as it could be tried")]
    diagnoses: Annotated[tuple[Diagnosis, ...], Meta(description="In the order in which a run needs what they are of")]


def doctor_document(name: str, diagnoses: Sequence[Diagnosis]) -> DoctorDocument:
    """The document of a fleet."""
    return DoctorDocument(name=name, well=all_well(diagnoses), diagnoses=tuple(diagnoses))


def doctor_schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What a doctor found of an orchestrator fleet",
        **msgspec.json.schema(DoctorDocument),
    }
