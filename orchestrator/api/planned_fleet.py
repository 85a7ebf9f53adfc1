"""A fleet as its plan describes it, for programs."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from orchestrator.api.work import SessionEnd, work
from orchestrator.app.process.state_clock import state_clock
from orchestrator.app.status.document import StatusDocument, first_document, fleet_document
from orchestrator.app.status.fleet_status import find_run, find_stored
from orchestrator.app.status.run_list import Brief, brief
from orchestrator.errors import ExitCode
from orchestrator.model.plan.plan import Plan
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import Record
from orchestrator.planner.plan_file.load import load_plan
from orchestrator.planner.preview.preview_values import Preview
from orchestrator.tracker.named_plan import named_plan, world_of
from orchestrator.tracker.open_state import open_state
from orchestrator.tracker.postgres.address import names_database
from orchestrator.tracker.report.build import build_report
from orchestrator.tracker.report.schema import TargetReport
from orchestrator.tracker.runs.recovery import latest_run
from orchestrator.tracker.state_store import State


class Event(NamedTuple):
    """A record of a run's journal, with its number in it. The records: `orchestrator.model.record.record`."""

    run_id: str
    number: int
    record: Record


def load(
    plan: str | Path,
    *,
    state: str | Path | None = None,
    overrides: Mapping[str, str] | None = None,
    simulate: bool = False,
    environ: Mapping[str, str] | None = None,
) -> "PlannedFleet":
    """Read and check a plan file. Nothing is sent, and no network is used.

    Args:
        plan: path of the plan file.
        state: the state folder, or the address of a database; None for `ORCHESTRATOR_STATE` of the environment, else
            beside the plan.
        overrides: dotted keys of the plan and what to set them to, as `--set` does.
        simulate: use an embedded simulated cloud; such runs are kept apart from real ones.
        environ: the environment, in which credentials may be; None for that of this process.

    Raises:
        PlanError: the file cannot be read, or is no plan; one line for each problem.
    """
    path, changed = Path(plan).absolute(), dict(overrides or {})
    around = dict(os.environ if environ is None else environ)
    named = None if state is None else _named(str(state))
    return PlannedFleet(
        plan=load_plan(path, changed),
        path=path,
        state=open_state(named, around, path, simulated=simulate),
        environ=around,
        words=tuple(_words(named, changed, simulate=simulate)),
    )


def _named(state: str) -> str:
    return state if names_database(state) else str(Path(state).absolute())


def _words(state: str | None, overrides: Mapping[str, str], *, simulate: bool) -> Iterator[str]:
    yield from () if state is None else (f"--state={state}",)
    yield from ("--simulate",) if simulate else ()
    yield from (f"--set={key}={value}" for key, value in overrides.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFleet:
    """A fleet and its plan; `load` makes it.

    Attributes:
        plan: parsed and checked.
        path: of the plan file.
        state: where its runs are kept.
        environ: in which it works.
        words: options of every command line for it.
    """

    plan: Plan
    path: Path
    state: State
    environ: Mapping[str, str] = field(repr=False)
    words: tuple[str, ...] = ()

    def preview(self, *, offline: bool = False, forecast: bool = False, save_as: str | Path | None = None) -> Preview:
        """What a start would do now. Sends nothing.

        Args:
            offline: no network at all, so that no version is known.
            forecast: rehearse the run: when each wave starts and ends.
            save_as: a file for `run(approved=…)`.

        Raises:
            PlanError: the plan cannot be carried out.
            ScopeUnusable: something could not be read.
            StateError: the state folder cannot be used.
        """
        words = ["plan", str(self.path), "--format=json", *self.words]
        words += ["--offline"] * offline + ["--forecast"] * forecast
        words += [] if save_as is None else [f"--out={Path(save_as).absolute()}"]
        done = work(words, self.environ)
        if done.code not in (ExitCode.DONE, ExitCode.OTHER_OUTCOMES):
            raise done.error()
        return msgspec.json.decode(done.out, type=Preview)

    def run(
        self,
        *,
        approved: str | Path | None = None,
        until: str | None = None,
        max_duration: str | None = None,
        wait: str | None = None,
        new: bool = False,
        only_outcome: Iterable[Outcome] = (),
        on_event: Callable[[Event], object] | None = None,
    ) -> SessionEnd:
        """Work one session on the fleet's run: begin it, or go on with it. Returns when the session has ended.

        When the caller is interrupted, the session is asked to stop, and waited for; another one goes on later.

        Args:
            approved: a saved preview: exactly that runs, or nothing.
            until: start nothing from then on, as `--until`.
            max_duration: start nothing after so long, such as `50m`.
            wait: how long to wait for windows and soaks in the session, such as `10m`.
            new: end the unfinished run and begin a new one.
            only_outcome: begin a run with the targets whose last outcome was one of these.
            on_event: called in this thread with each new record of the journal, within about half a second.
        """
        options = {"until": until, "max-duration": max_duration, "wait": wait, "only-outcome": ",".join(only_outcome)}
        words = ["run", str(self.path if approved is None else Path(approved).absolute())]
        words += [word for word in self.words if approved is None or not word.startswith("--set=")]
        words += [f"--{name}={value}" for name, value in options.items() if value] + ["--new"] * new
        told = {} if on_event is None else self._numbers()
        done = work(
            [*words, "--no-progress", "--log-level=error"],
            self.environ,
            (lambda: None) if on_event is None else partial(self._tell, on_event, told),
        )
        latest = latest_run(self.state.fleet(self.plan.name))
        return SessionEnd(
            done.exit_code,
            done.out.strip(),
            done.err.strip(),
            None if latest is None else latest.run_id,
            None if latest is None else latest.report,
        )

    def status(self) -> StatusDocument:
        """Where the fleet stands and what it waits for, also while a session works on it.

        Raises:
            StateError: its state cannot be read.
        """
        fleet, now = self.state.fleet(self.plan.name), state_clock(self.state).now()
        if fleet.runs():
            found = find_run(self.state, self.plan)
            return fleet_document(found, self.plan, now, named_plan(self.plan, self.state, world_of(found.run)))
        return first_document(fleet, self.plan, now, named_plan(self.plan, self.state))

    def runs(self) -> list[Brief]:
        """All runs of the fleet, the latest first.

        Raises:
            StateError: one cannot be read.
        """
        return [brief(run) for run in reversed(self.state.fleet(self.plan.name).runs())]

    def targets(self, run_id: str | None = None) -> Iterator[TargetReport]:
        """What the report of a run says of each target, one by one.

        Args:
            run_id: None for the latest run.

        Raises:
            UsageError: there is no such run.
            StateError: it cannot be read.
        """
        recovered = find_run(self.state, self.plan, run_id)
        return iter(build_report(recovered.run, recovered.in_force).targets)

    def events(self, run_id: str | None = None, *, after: int = 0) -> Iterator[Event]:
        """The records of a run's journal in order, read as they are asked for.

        Args:
            run_id: None for the latest run.
            after: only those with a higher number.

        Raises:
            UsageError: there is no such run.
            StateError: it cannot be read.
        """
        stored = find_stored(self.state, self.plan, run_id)
        return (Event(stored.run_id, number, record) for number, record in stored.records(after))

    def _numbers(self) -> dict[str, int]:
        """By run, the number of its last record; a run that is not there yet begins after 0."""
        runs = self.state.fleet(self.plan.name).runs()
        latest = {run.run_id: max((number for number, _ in run.records()), default=0) for run in runs[-1:]}
        return {run.run_id: 0 for run in runs} | latest

    def _tell(self, on_event: Callable[[Event], object], told: dict[str, int]) -> None:
        """Tell what is new in the latest run."""
        for stored in self.state.fleet(self.plan.name).runs()[-1:]:
            for number, record in stored.records(told.get(stored.run_id, 0)):
                told[stored.run_id] = number
                on_event(Event(stored.run_id, number, record))
