"""One session of `run`, and what is printed of it."""

import os
from collections.abc import Iterator, Mapping, MutableMapping
from datetime import UTC, datetime
from functools import partial
from operator import setitem

from msgspec import structs
from structlog.typing import FilteringBoundLogger

from orchestrator.app.process.start_bound import Bounds, spoken_bound
from orchestrator.app.process.state_clock import state_clock
from orchestrator.app.run.approved import Approved
from orchestrator.app.run.begin_or_resume import Opened
from orchestrator.app.run.run_plan import RunRequest, SessionResult, run_plan
from orchestrator.app.run.side_channels import remember
from orchestrator.app.sinks.event_lines import EventLines
from orchestrator.app.sinks.live_display import LiveDisplay
from orchestrator.app.sinks.record_log import RecordLog
from orchestrator.app.sinks.tee import RecordSink
from orchestrator.app.status.fleet_status import look_after
from orchestrator.app.status.what_next.attention import attention_lines
from orchestrator.app.status.what_next.last_line import last_step
from orchestrator.cli.options import Options
from orchestrator.cli.place import given_world, plan_words, redirect_of, state_of
from orchestrator.cli.streams import lost_output
from orchestrator.cli.terminal import Search, live, tell, tells_people, write
from orchestrator.cli.verbs.tellers import tellers
from orchestrator.clock import SystemClock
from orchestrator.errors import OUTLIVED_BUG_HINT, ExitCode, PlanError
from orchestrator.log import open_log
from orchestrator.model.plan.plan import Plan
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.run.run import Run
from orchestrator.spoken import counted
from orchestrator.tracker.report.build import build_report
from orchestrator.tracker.report.summary import summary
from orchestrator.tracker.runs.recovery import Recovered

#: Exit codes that do not say of themselves why the session ended.
_EXPLAINED = frozenset(
    {ExitCode.INTERNAL, ExitCode.MORE_TO_DO, ExitCode.PERSON_NEEDED, ExitCode.SCOPE_UNUSABLE},
)


def one_session(plan: Plan, options: Options, bounds: Bounds, approved: Approved | None) -> ExitCode:
    """Run one session, and print what came of it.

    Args:
        plan: checked.
        options: of the command line.
        bounds: when it stops starting.
        approved: the preview that the session is bound to.
    """
    lost: dict[str, str] = {}
    if bounds.until is not None:
        _tell_of_bound(bounds.until, options, lost)
    outcome = run_plan(
        structs.replace(
            session_request(plan, options, lost),
            until=bounds.until and bounds.until.astimezone(UTC),
            longest_s=bounds.longest_s,
            wait_s=bounds.wait_s,
            approved=approved,
        )
    )
    return tell_of(outcome, plan, options, lost)


def tell_of(outcome: SessionResult, plan: Plan, options: Options, lost: Mapping[str, str]) -> ExitCode:
    """Print what came of a session.

    Raises:
        PlanError: it only followed what was open, because nothing more may start in the run.
    """
    _tell_what_failed(outcome, options)
    _summarise(outcome, options)
    _remember_lost(outcome, lost)
    if outcome.opened.barred and outcome.code is ExitCode.USAGE:
        raise _barred(plan, outcome.opened)
    return outcome.code


def session_request(plan: Plan, options: Options, lost: MutableMapping[str, str]) -> RunRequest:
    """What the command line asks of a session, without bounds; `lost` takes why a side channel took nothing."""
    state = state_of(options)
    return RunRequest(
        plan=plan,
        state=state,
        environ=os.environ,
        now=state_clock(state).now(),
        new=options.new,
        only=None if options.only_outcome is None else frozenset(map(Outcome, options.only_outcome)),
        redirect=redirect_of(options),
        world=given_world(options),
        report=options.report,
        warn=partial(_warn, options, lost),
        on_found=Search(shown=live(no_progress=options.no_progress, quiet=options.quiet)),
        sinks=partial(_sinks, plan, options, lost),
    )


def _tell_of_bound(until: datetime, options: Options, lost: MutableMapping[str, str]) -> None:
    if not options.quiet:
        tell(spoken_bound(until))
    if _logs(options):
        _open_log(options, lost).info("session.bounded", starts_until=until.astimezone(UTC))


def _warn(options: Options, lost: MutableMapping[str, str], event: str, why: str) -> None:
    if _logs(options):
        _open_log(options, lost).warning(event, why=why)
    elif event.startswith("plan.") and not options.quiet:  # found before the display begins
        tell(f"orchestrator: warning: {why}")


def _sinks(plan: Plan, options: Options, lost: MutableMapping[str, str], recovered: Recovered) -> Iterator[RecordSink]:
    """A live display on a terminal, or short lines; elsewhere, and in a file, the log; and who tells others."""
    if live(no_progress=options.no_progress, quiet=options.quiet):
        yield LiveDisplay(recovered.run, recovered.plan.name)
    if _logs(options) and tells_people(options.log_format, options.log_level, options.log_file):
        yield EventLines(recovered.run, tell, options.log_level)
    elif _logs(options):
        yield RecordLog(_open_log(options, lost).bind(run_id=recovered.run_id))
    yield from tellers(plan, options, lost, recovered)


def _logs(options: Options) -> bool:
    """Whether there is a log: in a file that was asked for, else where neither display nor summary says the same."""
    shown = live(no_progress=options.no_progress, quiet=options.quiet)
    return options.log_file is not None or not (shown or options.quiet)


def _open_log(options: Options, lost: MutableMapping[str, str]) -> FilteringBoundLogger:
    """The log; when it cannot be written any more, the reason goes to `lost`."""
    return open_log(
        SystemClock().now,
        level=options.log_level,
        form=options.log_format,
        file=options.log_file,
        on_lost=partial(setitem, lost, "the log"),
    )


def _summarise(outcome: SessionResult, options: Options) -> None:
    if options.silences(outcome.code) and not outcome.opened.barred:
        return
    run, code = outcome.recovered.run, outcome.code
    story = build_report(run, outcome.plan, exit_code=int(code))
    named = plan_words(outcome.plan, options)
    seen = look_after(outcome.recovered, outcome.plan, _now(outcome), outcome.opened.barred)
    attention, why = attention_lines(seen, story.head, named), _whys(outcome)
    write(summary(story.head, attention, last_step(seen, named), outcome.report, code, why).split("\n"))


def _now(outcome: SessionResult) -> datetime:
    return state_clock(outcome.recovered.stored.fleet.state).now()


def _whys(outcome: SessionResult) -> list[str]:
    """Why the session ended, where the outcomes do not say it: each scope that was given up, with its reason."""
    scopes = outcome.recovered.run.scopes.values()
    whys = [f"scope {scope.name} cannot be used: {scope.given_up}" for scope in scopes if scope.given_up]
    told = bool(whys) and outcome.code is ExitCode.SCOPE_UNUSABLE
    return whys + ([outcome.why] if outcome.why and outcome.code in _EXPLAINED and not told else [])


def _remember_lost(outcome: SessionResult, lost: Mapping[str, str]) -> None:
    """What nobody could read or find where it should be is said in the report."""
    everything = {**outcome.lost, **lost_output(), **lost}
    if everything:
        remember(outcome.recovered, outcome.plan, outcome.code, everything, _now(outcome))


def _tell_what_failed(outcome: SessionResult, options: Options) -> None:
    """What failed in this program, each with its place, also with `--quiet`; and what it went on without."""
    run = outcome.recovered.run
    aside = (f"target {state.key}: {state.set_aside}" for state in run.set_aside())
    for error in (*run.troubles, *aside):
        tell(f"orchestrator: internal error: {error}")
    for error in run.host_errors:
        tell(f"orchestrator: {error}")
    for warning in () if options.silences(outcome.code) else (*run.warnings, *outcome.warnings):
        tell(f"orchestrator: warning: {warning}")
    if outcome.code is ExitCode.INTERNAL:
        tell(f"hint: {OUTLIVED_BUG_HINT}")


def _barred(plan: Plan, opened: Opened) -> PlanError:
    """Why nothing more may start in the run."""
    run_id = opened.recovered.run_id
    if opened.changes:
        return PlanError(
            f"{plan.path}: changed since run {run_id} began: {'; '.join(opened.changes)}",
            hint=_after_a_change(opened.recovered.run),
        )
    more = f" (and {len(opened.taken) - 1} more)" if len(opened.taken) > 1 else ""
    return PlanError(
        f"{plan.path}: nothing starts in run {run_id}: {opened.taken[0]}{more}",
        hint="let the other fleet end what it began, or settle there what is stuck, then run again",
    )


def _after_a_change(run: Run) -> str:
    still = sum(1 for _ in run.open_states())
    if still:
        open_still = counted(still, "of its targets is still open", "of its targets are still open")
        return f"{open_still}: see status; then begin a new run with --new, or put the plan back"
    return "what was open has been followed; begin a new run with --new, or put the plan back as it was"
