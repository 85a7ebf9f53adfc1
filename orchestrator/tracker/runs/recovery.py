"""A run as its store tells it: the frozen plan and targets, and the fold of its records. Reads only."""

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from orchestrator.errors import JournalDamaged, place_of
from orchestrator.model.plan import Plan
from orchestrator.model.record import Record, RunStarted
from orchestrator.model.run import Run
from orchestrator.model.settings import in_force
from orchestrator.model.target import Target
from orchestrator.spoken import counted
from orchestrator.tracker.journal.line import DAMAGED_HINT
from orchestrator.tracker.state_store import Fleet, StoredRun


class Recovered(Struct, frozen=True, kw_only=True):
    """A run as it was left, or as it stands now beside the process that works on it.

    Attributes:
        stored: where it is kept.
        plan: as it was frozen.
        in_force: the same with the settings of the latest session.
        run: the fold of every record; its targets are the frozen ones.
        next_seq: number of its next record.
    """

    stored: StoredRun
    plan: Plan
    in_force: Plan
    run: Run
    next_seq: int

    @property
    def run_id(self) -> str:
        """Of the run."""
        return self.stored.run_id


def latest_run(fleet: Fleet) -> StoredRun | None:
    """The newest run of a fleet.

    Raises:
        StateError: its runs cannot be read.
    """
    runs = fleet.runs()
    return runs[-1] if runs else None


def recover(stored: StoredRun, observe: Callable[[Record], None] | None = None) -> Recovered:
    """Read a run.

    Args:
        stored: the run.
        observe: called with every record once it is folded, for who wants more than the fold keeps.

    Raises:
        JournalDamaged: a part of it is not what was written.
        StateError: a part of it cannot be read, or was written by a newer version.
    """
    plan = stored.plan()
    now = in_force(plan, stored.settings())
    run = _new_run(now, stored.targets())
    seq = _fold(stored, run, stored.records(), run.total, observe)
    return Recovered(stored=stored, plan=plan, in_force=now, run=run, next_seq=seq + 1)


class Glimpse(Struct, frozen=True, kw_only=True):
    """A run as far as it bears on one proxy.

    Attributes:
        stored: where it is kept.
        in_force: the plan with the settings of the latest session.
        run: the fold of `records` over the targets that they are about: what it counts is not what the run counts.
        records: those of the run itself, of the proxy, and of targets that share a workflow with it.
    """

    stored: StoredRun
    in_force: Plan
    run: Run
    records: Sequence[Record]


def glimpse(stored: StoredRun, proxy_id: str) -> Glimpse:
    """Read of a run what bears on one proxy; its state and those of scopes, waves and clocks are as `recover` has them.

    The moments of a state are not: another target's answer may have told the cloud's time first.

    Raises:
        JournalDamaged: a part of it is not what was written.
        StateError: a part of it cannot be read, or was written by a newer version.
    """
    now = in_force(stored.plan(), stored.settings())
    numbered = list(stored.records_about(proxy_id))
    names = {proxy_id, *(record.target for _, record in numbered if record.target is not None)}
    concerned, frozen = stored.targets_among(names)
    run = _new_run(now, concerned)
    _fold(stored, run, numbered, frozen, None)
    return Glimpse(stored=stored, in_force=now, run=run, records=[record for _, record in numbered])


def _new_run(plan: Plan, targets: Iterable[Target]) -> Run:
    """A run before its first record."""
    return Run(
        targets,
        waves=[wave.name for wave in plan.waves],
        scopes=[scope.name for scope in plan.scopes],
        failures=plan.failures,
    )


def _fold(
    stored: StoredRun,
    run: Run,
    records: Iterable[tuple[int, Record]],
    frozen: int,
    observe: Callable[[Record], None] | None,
) -> int:
    seq = 0
    for seq, record in records:
        if (seq == 1) != isinstance(record, RunStarted):
            where = stored.place_of("journal", seq)
            raise _broken(where, "the start of the run is not the first record, and nothing else")
        try:
            run.apply(record)
        except Exception as error:
            where = stored.place_of("journal", seq)
            raise _broken(where, f"the record does not fit those before it: {place_of(error)}") from error
        if isinstance(record, RunStarted):
            _expect_whole(stored, frozen, record)
        if observe is not None:
            observe(record)
    if run.started is None:
        raise _broken(stored.place_of("journal", 1), "the start of the run is not there")
    return seq


def _expect_whole(stored: StoredRun, frozen: int, started: RunStarted) -> None:
    """What was frozen with the run is all there; asked first, so that the right file is blamed."""
    if started.run_id != stored.run_id:
        raise _broken(stored.place_of("journal", 1), f"it belongs to the run {started.run_id}")
    if started.targets != frozen:
        found = counted(frozen, "target")
        raise _broken(stored.place_of("targets"), f"has {found}, and the journal says {started.targets:,}")


def _broken(where: str, what: str) -> JournalDamaged:
    return JournalDamaged(f"{where}: {what}", hint=DAMAGED_HINT)
