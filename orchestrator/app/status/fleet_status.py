"""Finding the run that a reader asks for, and its standing as a person reads it; also beside a running process."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from orchestrator.app.run.begin_or_resume import take_up
from orchestrator.app.status.ahead import look_ahead
from orchestrator.app.status.clocks import clock_lines
from orchestrator.app.status.coming_plan import as_edited, changed_lines, coming_changes, coming_plan
from orchestrator.app.status.fleet_hosts import host_lines
from orchestrator.app.status.no_trace import no_trace
from orchestrator.app.status.outlook import Outlook, look
from orchestrator.app.status.scope_lines import scope_lines
from orchestrator.app.status.what_next.attention import attention_lines
from orchestrator.app.status.what_next.last_line import fleet_line
from orchestrator.errors import ExitCode, StateError, UsageError
from orchestrator.executor.decide.waits import Cause, Wait, shown
from orchestrator.host import path_of
from orchestrator.model.plan.commands import ClaimCommand, Command
from orchestrator.model.plan.plan import Plan
from orchestrator.model.record.outcome import STUCK, Outcome
from orchestrator.model.run.act import CLAIMED
from orchestrator.model.run.run import Run
from orchestrator.model.run.tally import EMPTY
from orchestrator.spoken import counted
from orchestrator.tracker.named_plan import named_plan
from orchestrator.tracker.report.build import build_report
from orchestrator.tracker.report.schema import WaveReport
from orchestrator.tracker.report.text_form import bug_lines, outcome_lines, reject_lines, reject_title, wave_counts
from orchestrator.tracker.runs.recovery import Recovered, recover
from orchestrator.tracker.state_store import State, StoredRun


def find_run(state: State, plan: Plan, run_id: str | None = None) -> Recovered:
    """The fleet's latest run, or the one with that id.

    Raises:
        UsageError: there is none.
        StateError: it cannot be read.
    """
    return recover(find_stored(state, plan, run_id))


def find_stored(state: State, plan: Plan, run_id: str | None = None) -> StoredRun:
    """The same, and nothing of it is read."""
    found = stored_or_none(state, plan, run_id)
    if found is None:
        raise _unknown_run(plan, state, run_id) if run_id else no_trace(plan, state)
    return found


def _unknown_run(plan: Plan, state: State, run_id: str) -> UsageError:
    """With the fleet whose run it is, if there is one."""
    owner = next((fleet.name for fleet in state.fleets() if any(run.run_id == run_id for run in fleet.runs())), None)
    whose = f"run {run_id} is one of fleet {owner}, not of {plan.name}" if owner else f"{plan.name} has no run {run_id}"
    hint = f"its runs: orchestrator runs {named_plan(plan, state)}; others: name their state folder with --state"
    return UsageError(f"{plan.path}: {whose} in {state}", hint=hint)


def latest_or_none(state: State, plan: Plan, run_id: str | None = None) -> Recovered | None:
    """The same; None when there is no such run."""
    found = stored_or_none(state, plan, run_id)
    return None if found is None else recover(found)


def stored_or_none(state: State, plan: Plan, run_id: str | None = None) -> StoredRun | None:
    """The same, and nothing of it is read."""
    fleet = state.fleet(plan.name)
    fleet.expect_owner(path_of(plan.path))
    runs = {run.run_id: run for run in fleet.runs()}
    return runs.get(run_id or max(runs, default=""))


def unread_commands(recovered: Recovered) -> list[tuple[int, Command]]:
    """What persons have asked of the fleet that no process has read yet."""
    return recovered.stored.fleet.inbox().new(recovered.run.commands_seen)


def outlook(recovered: Recovered, plan: Plan, now: datetime) -> Outlook:
    """A run as its process sees it now, or as the next start will.

    Args:
        recovered: the run, which is carried on in memory.
        plan: as the file has it now.
        now: by the clock of the state.
    """
    run, fleet = recovered.run, recovered.stored.fleet
    asked = unread_commands(recovered)
    working = fleet.holder() is not None
    over = working or run.ended is not None
    edited = as_edited(run, recovered.in_force, plan)
    barred = None if over else _barred(recovered, edited)
    here = coming_plan(recovered.plan, recovered.in_force, edited, over=over)
    run.recount(here.failures)
    order = recovered.draw_order(here.name)
    shared = fleet.state.host is not None
    return look(here, run, asked, now, working=working, barred=barred, order=order, shared=shared)


def look_after(recovered: Recovered, plan: Plan, now: datetime, barred: Wait | None) -> Outlook:
    """A run as the process sees it whose session has just ended; arguments as of `look`."""
    shared = recovered.stored.fleet.state.host is not None
    return look(plan, recovered.run, (), now, working=False, barred=barred, shared=shared)


def standing(recovered: Recovered, plan: Plan, now: datetime, named: str) -> Iterator[str]:
    """Where a run stands, and what it waits for; `named`: the plan as commands name it."""
    seen = outlook(recovered, plan, now)
    run, head = seen.run, build_report(seen.run, recovered.in_force).head
    simulated = "SIMULATED: " if head.run.simulated else ""
    yield f"{simulated}{head.run.name} -> {head.run.target_version}: run {head.run.run_id}, {head.run.state}"
    worker = recovered.stored.fleet.holder()
    yield f"  {worker}" if worker else last_session(run)
    yield from people_lines(run)
    yield from host_lines(run, recovered.stored.fleet, seen.rollout.plan.scopes, working=worker is not None)
    yield from bound_lines(seen)
    yield from asked_lines(seen)
    yield from limit_lines(run)
    yield from changed_lines(run, coming_changes(run, recovered.in_force, seen.rollout.plan))
    yield from bug_lines(head.run)
    yield from outcome_lines(head)
    if head.reject_reasons:
        yield reject_title(head)
        yield from reject_lines(head)
    yield "waves:"
    yield from (wave_line(run, wave) for wave in head.waves)
    yield from attention_lines(seen, head, named)
    yield from scope_lines(seen)
    yield from clock_lines(run)
    yield fleet_line(seen, named)


def before_first_run(plan: Plan, state: State, now: datetime, named: str) -> Iterator[str]:
    """What is known of a fleet that has had no run yet: what persons asked for; `named`: as in `standing`.

    Raises:
        UsageError: there is no trace of the fleet.
    """
    fleet = state.fleet(plan.name)
    if not fleet.exists():
        raise no_trace(plan, state)
    worker, seen = look_ahead(fleet, plan, now)
    yield f"{plan.name} -> {plan.target_version}: no run has begun yet"
    if worker:
        yield f"  {worker}"
    yield from people_lines(seen.run)
    yield from asked_lines(seen)
    yield fleet_line(seen, named)


def bound_lines(seen: Outlook) -> Iterator[str]:
    """From when on the process at work starts nothing more."""
    bounds = (("--until", seen.rollout.until), ("--max-duration", seen.rollout.ends_at))
    yield from (f"  it starts nothing from {shown(bound)} UTC on ({option})" for option, bound in bounds if bound)


def asked_lines(seen: Outlook) -> Iterator[str]:
    """What persons have asked for and no process has read yet."""
    when = "read within a second" if seen.working else "read by the next start"
    for each in seen.asked:
        if isinstance(each, ClaimCommand):  # it counts at once, and is told among what persons did
            continue
        yield f"asked for at {each.at:%Y-%m-%d %H:%M:%SZ} by {each.who}: {each.what} ({each.note}); {when}"


def limit_lines(run: Run) -> Iterator[str]:
    """The limits that a person has changed, by whom and why."""
    if run.limits is not None and run.limits.words is not None:
        yield f"limits: {run.limits.words}"


def last_session(run: Run) -> str:
    """How the process that worked on the run last came to its end."""
    if run.session_ended is None:
        last = f"; its last record is of {run.last_at:%Y-%m-%d %H:%M:%SZ}" if run.last_at else ""
        return (
            f"  no process works on it; the last one was killed{last}" if run.sessions else "  no process works on it"
        )
    ended = run.session_ended
    gone = ", ".join(scope.name for scope in run.scopes.values() if scope.given_up)
    unsaid = gone and gone not in ended.why and ended.exit_code == ExitCode.SCOPE_UNUSABLE
    why = f"scopes given up: {gone}; {ended.why}" if unsaid else ended.why
    return f"  no process works on it; the last one ended with {ended.exit_code}: {why}"


def people_lines(run: Run) -> Iterator[str]:
    """Who started how many of its sessions, where that was recorded, and who handed the fleet over during it."""
    by = Counter(session.who for session in run.sessions if session.user)
    if by:
        yield "  sessions: " + ", ".join(f"{number} by {who}" for who, number in by.items())
    claims = (act for act in run.acts if act.did.startswith(CLAIMED))
    yield from (f"  {act.did}, by {act.who} at {act.at:%Y-%m-%d %H:%M:%SZ}" for act in claims)


def _barred(recovered: Recovered, plan: Plan) -> Wait | None:
    try:
        return take_up(recovered, plan).barred
    except StateError as error:
        return Wait(Cause.ELSEWHERE, (f"its run cannot be read: {error}",))


def wave_line(run: Run, wave: WaveReport) -> str:
    """Where a wave stands."""
    by = run.waves[wave.name].approved_by
    counts = wave_counts(wave) or ("nothing to send" if wave.state == "done" else "nothing yet")
    approved = f", approved by {by}" if by and wave.started_at is None else ""
    return f"  {wave.name}: {wave.state}{approved}, {counts}{_stays_open(run, wave)}"


def _stays_open(run: Run, wave: WaveReport) -> str:
    """Why a wave is open though all has ended or is stuck: one of the stuck may have to be sent again.

    While anything waits, it is open for that.
    """
    stuck = 0 if run.waiting else run.tally.fleet.stuck
    over = wave.outcomes.keys() <= {*Outcome, *STUCK}
    if not stuck or not over or wave.state != "open":
        return ""
    found = [name for name in run.waves if run.tally.waves.get(name, EMPTY).stuck]
    of = "" if found == [wave.name] else f" of {'wave' if len(found) == 1 else 'waves'} {' and '.join(found)}"
    return f"; stays open for {counted(stuck, 'stuck target')}{of}"
