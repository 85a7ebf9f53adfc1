"""The plan by which a run goes on: that of the process at work, else that of its file, as the next start reads it."""

from collections.abc import Iterator, Mapping

from msgspec import structs

from orchestrator.model.plan.limit_change import limited
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.settings import changes_between, settings_changed
from orchestrator.model.run.run import Run


def as_edited(run: Run, in_force: Plan, plan: Plan) -> Plan:
    """The plan file as it is now; for a simulated run as its cloud has it, so that what that set itself is no edit.

    Args:
        run: with which the file is compared.
        in_force: with the settings of its latest session.
        plan: as the file has it.
    """
    if run.started is None or not run.started.simulated:
        return plan
    from orchestrator.app.simulate.in_simulation import as_simulated  # noqa: PLC0415  # only of such a run

    return as_simulated(plan, in_force)


def coming_plan(frozen: Plan, in_force: Plan, edited: Plan, *, over: bool) -> Plan:
    """The plan that decides next.

    Args:
        frozen: as the run was begun with it.
        in_force: the same with the settings of the latest session.
        edited: as the file has it now, `as_edited`.
        over: no start goes on in the run, for a process works on it, or it has ended.
    """
    if over or changes_between(frozen, edited):  # what is open is followed by the old one, and nothing else is done
        return structs.replace(in_force, path=edited.path, inventory=edited.inventory)  # where its mistakes are now
    return edited


def coming_changes(run: Run, in_force: Plan, coming: Plan) -> dict[str, str]:
    """What the next start does otherwise than the latest session. Limits that a person has set hold for both."""
    before = in_force if run.limits is None else limited(in_force, run.limits.limits)
    return settings_changed(before, coming)


def changed_lines(run: Run, changed: Mapping[str, str]) -> Iterator[str]:
    """These as a person reads them; what the latest session had from its command line is said to be so."""
    asked = run.sessions[-1].set if run.sessions else {}
    for key, how in changed.items():
        whose = " (the first by --set)" if key in asked else ""
        yield f"changed since the last session: {key}: {how}{whose}; the next start goes by that"
