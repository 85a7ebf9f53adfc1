"""All fleets of a state folder: where each stands by its latest run and the plan of its next start, or before one."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TypeAlias

from orchestrator.app.status.document import StatusDocument, first_document, fleet_document
from orchestrator.errors import OrchestratorError
from orchestrator.model.plan.plan import Plan
from orchestrator.model.run.run import Run
from orchestrator.planner.plan_file.load import load_plan
from orchestrator.tracker.runs.recovery import Recovered, recover
from orchestrator.tracker.state_store import Fleet, State

#: The plan as commands name it that are about a run; None before the first.
Named: TypeAlias = Callable[[Plan, Run | None], str]

_HEAD = ("FLEET", "VERSION", "STATE", "OUTCOMES", "WAITS FOR")


def fleet_documents(
    state: State, now: datetime, named: Named, on_trouble: Callable[[str, OrchestratorError], None]
) -> Iterator[StatusDocument]:
    """The status of each fleet, by name. What is wrong with one hides no other.

    Args:
        state: whose fleets are read.
        now: by this host's clock.
        named: the plan as commands name it.
        on_trouble: called with the name of a fleet that cannot be read, and why.
    """
    for fleet in state.fleets():
        try:
            document = _latest(fleet, now, named) if fleet.runs() else _before_the_first(fleet, now, named)
            yield from filter(None, [document])
        except OrchestratorError as error:
            on_trouble(fleet.name, error)


def fleet_rows(documents: Iterable[StatusDocument]) -> Iterator[str]:
    """A table with a line for each."""
    rows = [_HEAD, *map(_row, documents)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    yield from ("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def _latest(fleet: Fleet, now: datetime, named: Named) -> StatusDocument:
    recovered = recover(fleet.runs()[-1])
    plan = _of_its_file(fleet, recovered) or recovered.in_force
    return fleet_document(recovered, plan, now, named(plan, recovered.run))


def _of_its_file(fleet: Fleet, recovered: Recovered) -> Plan | None:
    """The plan by which the next start goes; None when none can, for the file cannot be used, or no start goes on."""
    if recovered.run.ended is not None:
        return None
    try:
        return _owned(fleet)
    except OrchestratorError:
        return None


def _owned(fleet: Fleet) -> Plan | None:
    """The plan as its file has it; None when that is gone, or is of another fleet now."""
    owner = fleet.owner()
    plan = load_plan(owner) if owner is not None and owner.is_file() else None
    return plan if plan is not None and plan.name == fleet.name else None


def _before_the_first(fleet: Fleet, now: datetime, named: Named) -> StatusDocument | None:
    """What a person may have asked of a fleet that never ran; None without its plan."""
    plan = _owned(fleet)
    return None if plan is None else first_document(fleet, plan, now, named(plan, None))


def _row(document: StatusDocument) -> tuple[str, ...]:
    run, totals = document.run, document.totals
    if run is None or totals is None:  # only before the first run
        return document.name, document.target_version, "no run", "", document.waits_for.sentence
    simulated = "SIMULATED: " if run.simulated else ""
    state = f"{run.state}, at work" if document.worker else run.state
    outcomes = ", ".join(f"{count} {name}" for name, count in totals.outcomes.items()) or "no targets"
    return f"{simulated}{document.name}", document.target_version, state, outcomes, document.waits_for.sentence
