"""Finding the run that a reader asks for, and its standing as a person reads it; also beside a running process."""

import shlex
from collections.abc import Iterator
from datetime import datetime

from orchestrator.app.status.clocks import calendar, clock_lines, steady
from orchestrator.app.status.scopes import scope_lines
from orchestrator.app.status.why_closed import closed, time_until
from orchestrator.errors import ExitCode, UsageError
from orchestrator.host import path_of
from orchestrator.model.commands import Command, HoldCommand, ReleaseCommand
from orchestrator.model.outcome import Phase
from orchestrator.model.plan import Plan, Wave
from orchestrator.model.run import Run
from orchestrator.model.state import TargetState
from orchestrator.tracker.report.build import build_report
from orchestrator.tracker.report.text_form import bug_lines, hold_lines, outcome_lines, reject_lines
from orchestrator.tracker.runs.recovery import Recovered, recover
from orchestrator.tracker.state import State

#: Targets that need a person are named up to this many.
_NAMED = 10


def find_run(state: State, plan: Plan, run_id: str | None = None) -> Recovered:
    """The fleet's latest run, or the one with that id.

    Raises:
        UsageError: there is none.
        StateError: it cannot be read.
    """
    fleet = state.fleet(plan.name)
    fleet.expect_owner(path_of(plan.path))
    runs = {run.run_id: run for run in fleet.runs()}
    found = runs.get(run_id or max(runs, default=""))
    if found is None:
        which = f"run {run_id}" if run_id else "any run"
        raise UsageError(f"{plan.path}: there is no trace of {which} of fleet {plan.name} in {state}")
    return recover(found)


def unread_commands(recovered: Recovered) -> list[tuple[int, Command]]:
    """What persons have asked of the fleet that no process has read yet."""
    return recovered.stored.fleet.inbox().new(recovered.run.commands_seen)


def standing(recovered: Recovered, now: datetime) -> Iterator[str]:
    """Where a run stands, and what it waits for."""
    run, plan = recovered.run, recovered.in_force
    story = build_report(run, plan)
    head = story.head.run
    simulated = "SIMULATED: " if head.simulated else ""
    yield f"{simulated}{head.name} -> {head.target_version}: run {head.run_id}, {head.state}"
    worker = recovered.stored.fleet.holder()
    yield f"  {worker}" if worker else last_session(run)
    yield from bug_lines(head)
    yield from outcome_lines(story.head)
    if reasons := reject_lines(story.head):
        yield "refused by the cloud:"
        yield from reasons
    yield "waves:"
    yield from (f"  {wave.name}: {wave.state}, {_counts(wave.outcomes)}" for wave in story.head.waves)
    if head.hold is not None:
        yield from hold_lines(head.hold)
        yield f"go on: {_release(recovered)}"
    yield from scope_lines(run, now)
    yield from clock_lines(run)
    yield from _needs_person(run)
    yield f"waits for: {waits_for(recovered, now)}"


def waits_for(recovered: Recovered, now: datetime) -> str:
    """Why nothing happens when nothing happens, as far as the journal tells."""
    run, plan = recovered.run, recovered.in_force
    order = _pending(recovered)
    if order is None and run.hold is not None:
        order = f"a person, to release it: {run.hold.reason}" + (f" (held by {run.hold.by})" if run.hold.by else "")
    if run.ended is not None:
        return "nothing, it has ended" + (f"; the next one waits for {order}" if order else "")
    if order is not None:
        return order
    wave = next((wave for wave in plan.waves if run.waves[wave.name].done_at is None), None)
    return _waits_in_wave(run, plan, wave, now)


def _waits_in_wave(run: Run, plan: Plan, wave: Wave | None, now: datetime) -> str:
    status = None if wave is None else run.waves[wave.name]
    if status is not None and status.soaks_until is not None and steady(run, now) < status.soaks_until:
        return f"the soak of wave {status.name}, in {time_until(status.soaks_until, steady(run, now))}"
    moving = [state for state in run.open_states() if state.phase in (Phase.IN_FLIGHT, Phase.DOUBT)]
    gate = closed(plan, run, calendar(run, now)) if run.waiting else None
    if gate is not None:
        followed = f"; {len(moving)} upgrades are followed to their end" if moving else ""
        return f"{gate}; {run.waiting} targets wait{followed}"
    if moving:
        return f"{len(moving)} upgrades to end; {run.waiting} targets wait"
    if run.session_ended is not None and run.session_ended.exit_code == ExitCode.PERSON_NEEDED:
        return f"a person, or new evidence; {run.waiting} targets wait"
    return f"the next session; {run.waiting} targets wait"


def _pending(recovered: Recovered) -> str | None:
    """A person's command that no process has read yet."""
    for _, command in reversed(unread_commands(recovered)):
        if isinstance(command, HoldCommand):
            return f"a person, to release it: {command.note} (held by {command.user})"
        if isinstance(command, ReleaseCommand) and command.wave is None:
            return f"the next start; released by {command.user}: {command.note}"
        hold = recovered.run.hold
        if isinstance(command, ReleaseCommand) and hold is not None and command.wave == hold.wave:
            return f"the next start; wave {command.wave} approved by {command.user}: {command.note}"
    return None


def _release(recovered: Recovered) -> str:
    """The command that lets a held fleet go on, ready to paste."""
    hold = recovered.run.hold
    wave = f" {shlex.quote(hold.wave)}" if hold is not None and hold.cause == "approval" and hold.wave else ""
    return f'orchestrator release {shlex.quote(str(recovered.plan.path))}{wave} --note "why"'


def last_session(run: Run) -> str:
    """How the process that worked on the run last came to its end."""
    if run.session_ended is None:
        return "  no process works on it; the last one was killed" if run.sessions else "  no process works on it"
    ended = run.session_ended
    gone = [scope.name for scope in run.scopes.values() if scope.given_up]
    of_scopes = gone and ended.exit_code == ExitCode.SCOPE_UNUSABLE
    because = f" ({ended.exit_code} for scopes given up: {', '.join(gone)})" if of_scopes else ""
    return f"  no process works on it; the last one ended with {ended.exit_code}: {ended.why}{because}"


def _counts(outcomes: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in outcomes.items()) or "nothing yet"


def _needs_person(run: Run) -> Iterator[str]:
    stuck = [state for state in run.open_states() if state.phase in (Phase.IN_DOUBT, Phase.TIMED_OUT)]
    if stuck:
        yield "these need a person:"
    yield from (_stuck(state) for state in stuck[:_NAMED])
    if len(stuck) > _NAMED:
        yield f"  and {len(stuck) - _NAMED} more, in the report"


def _stuck(state: TargetState) -> str:
    ids = ", ".join(state.jobs) or "no workflow_id"
    return f"  {state.key} {state.standing} ({ids}): {state.reason}"
