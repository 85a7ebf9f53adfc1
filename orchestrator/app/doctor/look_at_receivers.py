"""Whether the receivers of notifications can be told, as far as it is seen without telling them anything."""

from collections.abc import Iterator, Mapping

from orchestrator.app.doctor.diagnosis import Diagnosis
from orchestrator.model.plan.plan import Plan


def look_at_receivers(plan: Plan, environ: Mapping[str, str]) -> Iterator[Diagnosis]:
    """A line for each entry of `notify`."""
    from orchestrator.app.notify.try_receivers import flaw  # noqa: PLC0415  # only for a plan with `notify`

    for entry in plan.notify:
        wrong = flaw(entry, environ, plan.http)
        if wrong is None:
            words = f"{entry.name} can be used; orchestrator notify test sends something"
            yield Diagnosis("host", "notify", "well", words)
        else:
            remedy = "correct it in the plan, or set it where the start has its environment (cron, systemd)"
            yield Diagnosis("host", "notify", "wrong", f"{entry.name}: {wrong}", remedy)
