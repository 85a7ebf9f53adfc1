"""A run as its next decision will see it: the journal, carried on in memory by what persons have asked for. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from operator import attrgetter
from typing import NamedTuple

import msgspec
from msgspec import structs

from orchestrator.app.session.apply_command import carry_out
from orchestrator.app.status.clocks import calendar_ahead, steady
from orchestrator.executor.decide.bench import EVENTS, SUBNET
from orchestrator.executor.decide.rollout import GateWatch, Reading, Rollout
from orchestrator.executor.decide.wait_words import hold_wait, scope_wait, when_last_seen
from orchestrator.executor.decide.waits import Cause, Wait
from orchestrator.executor.decide.what_waits import fleet_wait, target_wait
from orchestrator.executor.restore_queue import make_queue
from orchestrator.host_zone import HOST_ZONE
from orchestrator.model.plan.commands import Command, ReleaseCommand
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.target import Target
from orchestrator.model.record.outcome import Phase
from orchestrator.model.record.record import SessionStarted
from orchestrator.model.run.run import Run
from orchestrator.model.run.state import TargetState
from orchestrator.tracker.report.moving import Moving, moving_among

#: What ends when an upgrade does.
_ENDS_ONE = frozenset({Cause.LIMIT, Cause.LABEL, Cause.RAMP, Cause.BUDGET, Cause.JOB, Cause.DOUBT})
#: The rate of a scope whose own is to be found out, and is not known yet.
_UNKNOWN_RATE = 1.0


class Ahead(NamedTuple):
    """What the first start of a fleet will meet.

    Attributes:
        working: whether a process is about to begin the run.
        barred: why it would be refused; None when nothing is known that bars it.
        unseen: what may bar it, for all that is known without asking the cloud.
    """

    working: bool = False
    barred: Wait | None = None
    unseen: Wait | None = None


NOTHING_KNOWN = Ahead()


class Outlook(msgspec.Struct, frozen=True):
    """What a reader knows of a run.

    Attributes:
        rollout: the run as its process sees it, or the next one; which preflights are under way is not in it.
        asked: what persons have asked for and no process has read yet; it counts already.
        now: by the clock of the session.
        working: whether a process works on it.
        open: every target that holds a slot.
        unseen: what may keep the next start from beginning, for all that is known here; None when nothing may.
    """

    rollout: Rollout
    asked: Sequence[Command]
    now: datetime
    working: bool
    open: Sequence[TargetState]
    unseen: Wait | None = None

    @property
    def run(self) -> Run:
        """The run."""
        return self.rollout.run

    def fleet(self) -> Wait:
        """What the run as a whole waits for."""
        if self.run.ended is not None:
            return hold_wait(self.run.hold) if self.run.hold else self._after_the_end()
        wait = self._asked_for(fleet_wait(self.rollout, self.now, working=self.working))
        return self._as_known(self._unreached(wait) or self._unless_unseen(wait))

    def _after_the_end(self) -> Wait:
        from orchestrator.app.status.after_the_end import after_the_end  # noqa: PLC0415  # brings the report along

        return after_the_end(self.run, self.rollout.plan.target_version)

    @property
    def stuck(self) -> list[TargetState]:
        """Targets that only a person, or new evidence, can settle."""
        return [state for state in self.open if state.needs_person]

    @property
    def follows(self) -> bool:
        """Whether a start would follow something to its end, whatever it may begin."""
        return any(not state.needs_person for state in self.open)

    @property
    def doubtful(self) -> list[TargetState]:
        """Targets of whose attempts evidence is looked for."""
        return [state for state in self.open if state.phase is Phase.DOUBT and not state.set_aside]

    @property
    def moving(self) -> Moving:
        """What of ours may be happening in the cloud now, without what only a person or new evidence moves."""
        return moving_among(self.open)

    def _unreached(self, wait: Wait) -> Wait | None:
        """The scope that cannot be asked now, when all that moves is in such scopes: their ends are not seen either."""
        if wait.cause not in _ENDS_ONE:
            return None
        scopes = {state.target.scope for state in self.open}
        waits = [scope_wait(self.run.scopes[name], self.now, reached=not self.working) for name in sorted(scopes)]
        return waits[0] if waits and None not in waits else None

    def target(self, target: Target) -> Wait:
        """What a target without an outcome waits for."""
        wait = self._asked_for(target_wait(self.rollout, target, self.now, working=self.working))
        return self._as_known(self._unless_unseen(wait))

    def scopes(self) -> Iterator[Wait]:
        """Why scopes cannot be used, of each that is not open."""
        began = bool(self.run.sessions) and self.run.ended is None
        waits = (scope_wait(scope, self.now, reached=not began) for scope in self.run.scopes.values())
        yield from (self._as_known(wait) for wait in waits if wait is not None)

    def _unless_unseen(self, wait: Wait) -> Wait:
        """A start that nothing is known to bar may be barred all the same."""
        return self.unseen if self.unseen is not None and wait.cause in (Cause.TURN, Cause.RELEASED) else wait

    def _as_known(self, wait: Wait) -> Wait:
        return wait if self.working else when_last_seen(wait)

    def _asked_for(self, wait: Wait) -> Wait:
        """The next start, by name of the person who let it go on."""
        released = next((each for each in reversed(self.asked) if isinstance(each, ReleaseCommand)), None)
        if released is None or wait.cause not in (Cause.TURN, Cause.STEP):
            return wait
        return Wait(Cause.RELEASED, (released_words(released),))


def released_words(command: ReleaseCommand) -> str:
    """Who let what go on, and why."""
    what = f"wave {command.wave} approved" if command.wave else "released"
    return f"{what} by {command.who}: {command.note}"


def look(
    plan: Plan,
    run: Run,
    asked: Sequence[tuple[int, Command]],
    now: datetime,
    *,
    working: bool,
    barred: Wait | None = None,
    zone: tzinfo = HOST_ZONE,
    order: Sequence[int] | None = None,
    shared: bool = False,
) -> Outlook:
    """See a run as its next decision will; the run is carried on by what was asked for.

    Args:
        plan: as in force.
        run: of the journal.
        asked: commands that no process has read yet, with their numbers.
        now: by this host's clock, or by that of the state.
        working: whether a process works on it.
        barred: why the next start may begin nothing in it any more; of a process at work the journal says it.
        zone: of this host.
        order: in which waves draw, see `draw_order`, where it is known already.
        shared: whether `now` is by a clock that several hosts share.
    """
    for number, command in asked:
        run.apply(carry_out(run, number, command, now))
    here, targets = steady(run, now, shared=shared), list(run.targets.values())
    ahead = calendar_ahead(run)
    session, still_open = _at_work(run) if working else None, run.open_states()
    rollout = Rollout(
        plan=plan,
        run=run,
        queue=make_queue(plan, targets, run, order),
        wave_targets={},
        scope_targets=Counter(map(attrgetter("scope"), targets)),
        scope_rates={scope.name: _rate(plan, run, scope.name) for scope in plan.scopes},
        available=lambda name: _available(run, name, here, working=working),
        ahead=lambda: ahead,
        zone=zone,
        resting={state.key for state in still_open if state.needs_person or state.set_aside},
        until=session.until if session else None,
        ends_at=session.ends_at if session else None,
        barred=Wait.recalled(session.barred) if session else barred,
        defers=False,
        wait_s=float("inf"),
    )
    for gate, status in run.gates.items():  # as the journal says; how fresh it is, only its process knows
        counts = working or status.latest.open  # a closed one that nobody asks holds nothing
        rollout.watches[gate] = GateWatch(asked_at=here, answered_at=here if counts else None)
    blocks = (*((SUBNET, subnet) for subnet in run.subnets), *((EVENTS, scope) for scope in run.scopes))
    for block in blocks:
        rollout.readings[block] = Reading(asked_at=here, read_at=here)
    return Outlook(rollout, [command for _, command in asked], here, working, still_open)


def before_run(
    plan: Plan,
    targets: Sequence[Target],
    asked: Sequence[tuple[int, Command]],
    now: datetime,
    ahead: Ahead = NOTHING_KNOWN,
) -> Outlook:
    """A fleet that has had no run yet, see `look`; `targets`: those that are known without asking the cloud."""
    waves, scopes = [wave.name for wave in plan.waves], [scope.name for scope in plan.scopes]
    run = Run(targets, waves=waves, scopes=scopes, failures=plan.failures)
    seen = look(plan, run, asked, now, working=ahead.working, barred=ahead.barred)
    return structs.replace(seen, unseen=ahead.unseen)


def _at_work(run: Run) -> SessionStarted | None:
    """The session of the process that works on the run; None before it has said so."""
    return run.sessions[-1] if run.sessions and run.session_ended is None else None


def _available(run: Run, name: str, now: datetime, *, working: bool) -> bool:
    state = run.scopes[name].standing(now).state
    return state == "open" or (state == "unreached" and not working)


def _rate(plan: Plan, run: Run, name: str) -> float:
    scope = next(scope for scope in plan.scopes if scope.name == name)
    planned = plan.limits.rate if scope.rate is None else scope.rate
    known = run.scopes[name].rate_limit
    if isinstance(planned, float | int):
        return float(planned)
    return _UNKNOWN_RATE if known is None else known
