"""Whether the receivers of notifications can be told, as far as it is seen without telling them anything."""

from collections.abc import Iterator, Mapping

from orchestrator.app.doctor.diagnosis import Diagnosis
from orchestrator.model.plan.plan import Notify, Plan


def look_at_receivers(plan: Plan, environ: Mapping[str, str]) -> Iterator[Diagnosis]:
    """A line for each entry of `notify`."""
    from orchestrator.app.notify.try_receivers import flaw  # noqa: PLC0415  # only for a plan with `notify`

    for entry in plan.notify:
        wrong = flaw(entry, environ, plan.http)
        if wrong is None:
            yield _nothing_wrong(entry)
        else:
            remedy = "correct it in the plan, or set it where the start has its environment (cron, systemd)"
            yield Diagnosis("host", "notify", "wrong", f"{entry.name}: {wrong}", remedy)


def _nothing_wrong(entry: Notify) -> Diagnosis:
    """A program is seen to be there. Whether an address answers, nobody knows before something is sent to it."""
    if entry.command is not None:
        return Diagnosis("host", "notify", "well", f"{entry.name}: the program is there")
    words = f"{entry.name}: set as it should be; whether it can be reached shows when something is sent"
    return Diagnosis("host", "notify", "untried", words, "send a test event: orchestrator notify test PLAN")
