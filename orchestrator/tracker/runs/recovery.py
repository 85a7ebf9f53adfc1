"""A run as its store tells it: the frozen plan and targets, and the fold of its records. Reads only."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from msgspec import Struct

from orchestrator.errors import JournalDamaged, place_of
from orchestrator.model.plan.order import draw_order
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.settings import in_force
from orchestrator.model.plan.target import Target
from orchestrator.model.record.record import Record, RunStarted
from orchestrator.model.run.run import Run
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
        folded: how many records were folded for this; the others were known from a checkpoint.
    """

    stored: StoredRun
    plan: Plan
    in_force: Plan
    run: Run
    next_seq: int
    folded: int = 0

    @property
    def run_id(self) -> str:
        """Of the run."""
        return self.stored.run_id

    def draw_order(self, fleet: str) -> Sequence[int]:
        """In which order waves of a fleet of this name draw its targets, see `draw_order`.

        Raises:
            StateError: the targets cannot be read.
        """
        kept = self.stored.draw_order(fleet)
        return kept if kept is not None and len(kept) == self.run.total else draw_order(fleet, self.run.targets)


def latest_run(fleet: Fleet) -> StoredRun | None:
    """The newest run of a fleet.

    Raises:
        StateError: its runs cannot be read.
    """
    runs = fleet.runs()
    return runs[-1] if runs else None


def recover(
    stored: StoredRun,
    observe: Callable[[Record], None] | None = None,
    *,
    targets: Iterable[Target] | None = None,
) -> Recovered:
    """Read a run.

    Args:
        stored: the run.
        observe: called with every record once it is folded, for who wants more than the fold keeps.
        targets: the frozen ones, where the caller has them already.

    Raises:
        JournalDamaged: a part of it is not what was written.
        StateError: a part of it cannot be read, or was written by a newer version.
    """
    plan = stored.plan()
    now = in_force(plan, stored.settings())
    frozen = stored.targets() if targets is None else targets
    run, after, records = _begun(stored, now, frozen) if observe is None else _from_the_start(stored, now, frozen)
    seq = _fold(stored, run, records, run.total, observe, after=after)
    return Recovered(stored=stored, plan=plan, in_force=now, run=run, next_seq=seq + 1, folded=seq - after)


#: A run as far as it is known already, the number of the last record that it knows, and the records behind that.
_Begun: TypeAlias = tuple[Run, int, Iterator[tuple[int, Record]]]


def _begun(stored: StoredRun, plan: Plan, targets: Iterable[Target]) -> _Begun:
    """From its checkpoint when there is one that fits."""
    run = _new_run(plan, targets)
    from orchestrator.tracker.runs.checkpoint import recalled  # noqa: PLC0415  # only where there is a run

    kept = recalled(stored, run)
    if kept is None or run.started is None:
        return _from_the_start(stored, plan, run.targets.values())
    _expect_whole(stored, run.total, run.started)
    return run, kept.seq, kept.behind


def _from_the_start(stored: StoredRun, plan: Plan, targets: Iterable[Target]) -> _Begun:
    return _new_run(plan, targets), 0, stored.records()


def renew_checkpoint(stored: StoredRun, targets: Iterable[Target]) -> int:
    """Keep a checkpoint of all records that are there by now, made from the one before; the number of the last record.

    It is made of the records as they are kept, and not of the state of a session, in which some count before they are
    written. The fleet's lock must be held.

    Args:
        stored: the run; another thread may be adding to its records.
        targets: the frozen ones.

    Raises:
        StateError: it cannot be read, or the checkpoint cannot be kept.
    """
    from orchestrator.tracker.runs.checkpoint import keep  # noqa: PLC0415  # as above

    found = recover(stored, targets=targets)
    keep(stored, found.run, found.next_seq - 1)
    return found.next_seq - 1


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
    _fold(stored, run, numbered, frozen)
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
    observe: Callable[[Record], None] | None = None,
    *,
    after: int = 0,
) -> int:
    seq = after
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
