"""`orchestrator plan`: the preview."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec import structs

from orchestrator.cli.options import Options
from orchestrator.cli.place import expect_folder, plan_to_call, plan_words, state_of
from orchestrator.cli.terminal import Counter, Search, live, rows, tell, write, write_json
from orchestrator.errors import ExitCode
from orchestrator.model.history import History
from orchestrator.model.outcome import Outcome
from orchestrator.model.plan import Plan
from orchestrator.planner.next_run import Asked, NextRun
from orchestrator.planner.preview.preview import Preview, make_preview
from orchestrator.planner.targets.resolve import Resolved, resolve_targets

if TYPE_CHECKING:
    from orchestrator.app.preview.make_preview import OnlinePreview
    from orchestrator.app.scopes.rate_memory import RateMemory


def run(options: Options) -> ExitCode:
    """Check the plan and show what would happen; after a run for this version, what has changed since."""
    expect_folder("--report", options.report)
    expect_folder("--metrics", options.metrics)
    plan = plan_to_call(options)
    asked = _asked(plan, options)
    if options.offline:
        return _offline(plan, options, asked)
    if options.simulate:
        return _simulated(plan, options, asked)
    from orchestrator.app.preview.audit_history import history_of  # noqa: PLC0415  # only when it is asked for

    return _online(plan, os.environ, options, history_of(plan, state_of(options)), asked)


def _asked(plan: Plan, options: Options) -> Asked:
    """What the options of a start ask for; `run` checks the same."""
    from orchestrator.app.process.start_bound import (  # noqa: PLC0415  # brings time zones along
        longest_s,
        seconds,
        start_bound,
    )
    from orchestrator.clock import SystemClock  # noqa: PLC0415  # as above

    return Asked(
        new=options.new,
        only=None if options.only_outcome is None else frozenset(map(Outcome, options.only_outcome)),
        until=start_bound(options.until, SystemClock().now()),
        longest_s=longest_s(options.max_duration),
        wait_s=seconds(options.wait, "--wait"),
        named=plan_words(plan, options),
    )


def _bounds(options: Options, asked: Asked) -> Iterator[str]:
    """When the session would stop starting, in words; `run` says the same."""
    from orchestrator.app.process.start_bound import spoken_bound  # noqa: PLC0415  # brings time zones along

    if asked.until is not None:
        yield spoken_bound(asked.until)
    if asked.longest_s is not None:
        yield f"nothing starts when the session has lasted {options.max_duration}"


def _coming(plan: Plan, resolved: Resolved, options: Options, asked: Asked) -> tuple[NextRun, Plan]:
    """The run that a start with these options takes up, and the plan that it follows."""
    from orchestrator.app.preview.foresee import foresee, foresee_simulated  # noqa: PLC0415  # brings the tracker along
    from orchestrator.clock import SystemClock  # noqa: PLC0415  # as above

    state, now = state_of(options), SystemClock().now()
    if options.simulate:
        coming, followed = foresee_simulated(plan, resolved.targets, state, asked, now), plan
    else:
        coming, followed = foresee(plan, resolved.targets, state, asked, now)
    return replace(coming, named=asked.named), followed


def _offline(plan: Plan, options: Options, asked: Asked) -> ExitCode:
    resolved = resolve_targets(plan)
    coming, plan = _coming(plan, resolved, options, asked)
    preview = make_preview(plan, resolved, coming=coming)
    if plan.finds_rates:
        from orchestrator.app.scopes.assume_rates import assume_rates  # noqa: PLC0415  # brings HTTP along

        rated, rates = assume_rates(plan, _memory(os.environ, options))
        preview = structs.replace(make_preview(rated, resolved, coming=coming), rates=rates)
    preview = structs.replace(preview, state=(*preview.state, *_bounds(options, asked)))
    _show(_forecast(preview, plan, coming, os.environ, options, asked), options)
    return ExitCode.DONE


def _simulated(plan: Plan, options: Options, asked: Asked) -> ExitCode:
    """No audit: each simulated cloud is a new one, in which no run has upgraded anything."""
    from orchestrator.app.simulate.redirect import simulated  # noqa: PLC0415  # only when it is asked for

    written = resolve_targets(plan).targets
    with simulated(plan, written, seed=options.seed, speed=options.speed, faults=options.faults) as (pointed, environ):
        if options.format != "json" and not options.quiet:
            write(["simulated cloud: nothing here is real"])
        return _online(pointed, environ, options, None, asked)


def _online(
    plan: Plan, environ: Mapping[str, str], options: Options, history: History | None, asked: Asked
) -> ExitCode:
    from orchestrator.app.discover.discover import discover_now  # noqa: PLC0415  # brings HTTP along
    from orchestrator.app.preview.make_preview import preview_online  # noqa: PLC0415  # as above
    from orchestrator.cli.plan_mistakes import plan_mistakes  # noqa: PLC0415  # brings the report along

    shown = live(no_progress=options.no_progress, quiet=options.quiet)
    memory = _memory(environ, options)
    found = discover_now(plan, environ, Search(shown=shown), memory)
    resolved = resolve_targets(plan, found.targets)
    coming, plan = _coming(plan, resolved, options, asked)
    if coming.changes:  # the run follows the plan that it was begun with, which this one is no audit of
        resolved, history = Resolved(list(coming.targets), []), None
    counter = Counter("read", len(resolved.targets), shown=shown)
    online = preview_online(
        plan, resolved, environ, counter, history=history, coming=coming, spent=found.calls, memory=memory
    )
    wrong = plan_mistakes(plan, online.preview)
    preview = structs.replace(
        online.preview,
        state=(*online.preview.state, *_bounds(options, asked)),
        warnings=(*wrong, *online.preview.warnings),
    )
    if not (online.read_nothing and options.format != "json"):
        _show(_forecast(preview, plan, coming, environ, options, asked), options)
    for name, why in online.unusable.items():
        tell(f"orchestrator: scope {name} cannot be used: {why}")
    return _code(online, wrong)


def _memory(environ: Mapping[str, str], options: Options) -> "RateMemory":
    from orchestrator.cli.known_rates import known_rates  # noqa: PLC0415  # brings HTTP along

    return known_rates(environ, options)


def _forecast(
    preview: Preview, plan: Plan, coming: NextRun, environ: Mapping[str, str], options: Options, asked: Asked
) -> Preview:
    """The preview, with a forecast if one was asked for, else with what one rehearsal says of a small fleet."""
    from orchestrator.app.preview.preview_with_forecast import (  # noqa: PLC0415  # brings the executor along
        with_forecast,
        with_rehearsal,
    )
    from orchestrator.clock import SystemClock  # noqa: PLC0415  # as above

    memory, state, now = _memory(environ, options), state_of(options), SystemClock().now()
    if options.forecast:
        bound = asked.bound(now)
        return with_forecast(preview, plan, coming, memory=memory, state=state, now=now, bound=bound)
    return with_rehearsal(preview, plan, coming, memory=memory, state=state, now=now)


def _code(online: "OnlinePreview", wrong: Sequence[str]) -> ExitCode:
    if online.unusable:
        return ExitCode.SCOPE_UNUSABLE
    audited = online.preview.audit
    well = not wrong if audited is None else audited.well
    return ExitCode.DONE if well else ExitCode.OTHER_OUTCOMES


def _show(preview: Preview, options: Options) -> None:
    if options.quiet:
        _show_trouble(preview)
        return
    if options.format == "json":
        import msgspec  # noqa: PLC0415  # only for this format

        write_json(msgspec.json.format(msgspec.json.encode(preview)).decode())
        return
    from orchestrator.planner.preview.preview_text import table  # noqa: PLC0415  # only for this format

    write(table(preview, rows=rows()))


def _show_trouble(preview: Preview) -> None:
    """With --quiet: the audit when not all is well, so that cron has something to send."""
    if preview.audit is not None and not preview.audit.well:
        from orchestrator.planner.preview.audit_text import audit_lines  # noqa: PLC0415  # only when it is needed

        write(audit_lines(preview.audit, rows=rows()))
