"""Who tells others of a run: the sinks of metrics and notifications, each imported only where it is asked for."""

import os
from collections.abc import Iterator, MutableMapping
from pathlib import Path

from orchestrator.app.process.state_clock import state_clock
from orchestrator.app.sinks.tee import RecordSink
from orchestrator.cli.options import Options
from orchestrator.cli.place import plan_words
from orchestrator.errors import OrchestratorError, place_of
from orchestrator.host import path_of
from orchestrator.model.plan.plan import Plan
from orchestrator.tracker.runs.recovery import Recovered


def tellers(plan: Plan, options: Options, lost: MutableMapping[str, str], recovered: Recovered) -> Iterator[RecordSink]:
    """Those that the plan and the command line ask for. Of a simulated run nobody is told but by `--metrics`.

    Args:
        plan: as the file has it now.
        options: of the command line.
        lost: takes why one could not be made, by its name.
        recovered: the run as the session finds it.
    """
    metrics = options.metrics or _textfile(plan, options)
    if metrics is not None:
        from orchestrator.app.sinks.metrics_file import MetricsFile  # noqa: PLC0415  # only when it is asked for

        yield MetricsFile(recovered, metrics)
    if plan.notify and not options.simulate:
        try:
            yield _notifier(plan, options, recovered)
        except Exception as error:  # noqa: BLE001  # a bulkhead: the run is worth more
            lost["the notifications"] = str(error) if isinstance(error, OrchestratorError) else place_of(error)


def _textfile(plan: Plan, options: Options) -> Path | None:
    """The plan's own file, which is that of the real runs."""
    return None if options.simulate or plan.metrics.textfile is None else path_of(plan.metrics.textfile)


def _notifier(plan: Plan, options: Options, recovered: Recovered) -> RecordSink:
    from orchestrator.app.notify.receivers import receivers  # noqa: PLC0415  # only when it is asked for
    from orchestrator.app.sinks.notifier import Notifier  # noqa: PLC0415  # as above
    from orchestrator.app.status.what_next.steps import step_words  # noqa: PLC0415  # as above
    from orchestrator.executor.decide.waits import Wait  # noqa: PLC0415  # as above

    named = plan_words(plan, options)

    def advise(wait: Wait, proxy_id: str) -> str:
        return step_words(wait, named, working=False, proxy=proxy_id)

    told = receivers(plan, os.environ)
    return Notifier(recovered, told, advise, state_clock(recovered.stored.fleet.state).now())
