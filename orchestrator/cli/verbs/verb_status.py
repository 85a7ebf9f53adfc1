"""`orchestrator status`: where the run stands, or the story of one proxy; without a plan, where all fleets stand."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from orchestrator.app.process.state_clock import state_clock
from orchestrator.app.status.document import StatusDocument, first_document, fleet_document
from orchestrator.app.status.fleet_status import (
    before_first_run,
    find_run,
    find_stored,
    latest_or_none,
    standing,
    stored_or_none,
)
from orchestrator.app.status.fleets import fleet_documents, fleet_rows
from orchestrator.app.status.one_proxy.before_first_run import proxy_before_first_run
from orchestrator.app.status.one_proxy.named_target import named_target
from orchestrator.app.status.one_proxy.target_history import life
from orchestrator.app.status.one_proxy.target_line import target_lines, target_outlook
from orchestrator.cli.options import Options
from orchestrator.cli.place import fleet_and_state, plan_words, state_of
from orchestrator.cli.terminal import tell, write, write_json
from orchestrator.errors import PRECEDENCE, ExitCode, OrchestratorError, UsageError
from orchestrator.model.plan.plan import Plan
from orchestrator.tracker.runs.recovery import glimpse
from orchestrator.tracker.state_store import State


def run(options: Options) -> ExitCode:
    """Print what the journal says."""
    if options.watch and (not options.has_plan or options.proxy_id or options.format == "json"):
        raise UsageError("--watch: goes with a plan alone, without a proxy and without --format json")
    if options.raw and (not options.proxy_id or options.format == "json"):
        raise UsageError("--raw: goes with a proxy, without --format json")
    if not options.has_plan:
        return _fleets(options)
    plan, state = fleet_and_state(options)
    if options.watch:
        _watch(plan, state, options)
        return ExitCode.DONE
    now = state_clock(state).now()
    proxy_id = _meant(plan, state, options.proxy_id)
    if options.format == "json":
        document = _document(plan, state, now, options, proxy_id)
        if not options.quiet:
            write_json(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
        return ExitCode.DONE
    lines = _proxy(plan, state, now, options, proxy_id) if proxy_id else _fleet(plan, state, now, options)
    told = list(lines)  # also with `--quiet`: what cannot be read is said
    if not options.quiet:
        write(told)
    return ExitCode.DONE


def _meant(plan: Plan, state: State, word: str) -> str:
    """The proxy of the latest run that a word means; before the first run the word itself."""
    return word and (word if _is_new(plan, state) else named_target(find_stored(state, plan), word))


def _is_new(plan: Plan, state: State) -> bool:
    """Whether something is known of the fleet, but no run has begun yet."""
    fleet = state.fleet(plan.name)
    return fleet.exists() and stored_or_none(state, plan) is None


def _watch(plan: Plan, state: State, options: Options) -> None:
    from orchestrator.cli.verbs.watch_status import watch_status  # noqa: PLC0415  # brings an event loop along

    clock, fleet = state_clock(state), state.fleet(plan.name)
    watch_status(
        lambda: fleet.holder() is not None,
        lambda: _fleet(plan, state, clock.now(), options),
        lambda: _document(plan, state, clock.now(), options, options.proxy_id),
    )


def _fleets(options: Options) -> ExitCode:
    state, troubles = state_of(options), list[OrchestratorError]()

    def trouble(name: str, error: OrchestratorError) -> None:
        troubles.append(error)
        tell(f"orchestrator: fleet {name}: {error}")

    now = state_clock(state).now()
    found = list(fleet_documents(state, now, lambda plan, run: plan_words(plan, options, run), trouble))
    if not found and not troubles:
        raise UsageError(f"there is no trace of any fleet in {state}", hint="name the plan, or its folder with --state")
    if options.format == "json" and not options.quiet:
        write_json(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    elif not options.quiet:
        write(fleet_rows(found))
    return min((error.exit_code for error in troubles), key=PRECEDENCE.index, default=ExitCode.DONE)


def _fleet(plan: Plan, state: State, now: datetime, options: Options) -> Iterator[str]:
    recovered = latest_or_none(state, plan)
    if recovered is None:
        return before_first_run(plan, state, now, plan_words(plan, options))
    return standing(recovered, plan, now, plan_words(plan, options, recovered.run))


def _proxy(plan: Plan, state: State, now: datetime, options: Options, proxy_id: str) -> Iterator[str]:
    if _is_new(plan, state):
        yield from proxy_before_first_run(state.fleet(plan.name), plan, proxy_id, now, plan_words(plan, options))
        return
    seen = glimpse(find_stored(state, plan), proxy_id)
    yield from life(seen, proxy_id, now, raw=options.raw)
    yield from target_lines(target_outlook(seen, plan, proxy_id, now), proxy_id, plan_words(plan, options, seen.run))


def _document(plan: Plan, state: State, now: datetime, options: Options, proxy_id: str) -> StatusDocument:
    if not _is_new(plan, state):
        recovered = find_run(state, plan)
        return fleet_document(recovered, plan, now, plan_words(plan, options, recovered.run), proxy_id)
    return first_document(state.fleet(plan.name), plan, now, plan_words(plan, options), proxy_id)
