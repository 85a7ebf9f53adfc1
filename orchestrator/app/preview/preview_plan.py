"""The preview of a plan from beginning to end: find the targets, foresee the run, read the versions, rehearse.

Sends nothing, and writes nothing. What needs no network waits for no import that brings it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from orchestrator.model.learned.history import History
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.target import Target
from orchestrator.planner.next_run import Asked, NextRun
from orchestrator.planner.preview.preview import make_preview
from orchestrator.planner.preview.preview_values import Preview
from orchestrator.planner.targets.resolve import Resolved, resolve_targets
from orchestrator.tracker.state_store import State

if TYPE_CHECKING:
    from orchestrator.app.preview.foresee import Foreseen
    from orchestrator.app.run.run_plan import Redirect
    from orchestrator.app.scopes.rate_memory import RateMemory


class PreviewRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a preview.

    Attributes:
        state: where the fleet is kept, that of simulated runs when `redirect` is set.
        now: when a start is taken to begin, by this host's clock.
        asked: what the options of a start say.
        warn: called with what is wrong and stops nothing.
        on_found: called with how far a discovery has come.
        on_read: called with how many versions have been read, and of how many.
        on_wait: called with what the cloud has it wait for, in words.
        offline: no network at all.
        forecast: rehearse the run many times, and not only where that is cheap.
        redirect: sends the questions to another cloud: the simulated one.
    """

    plan: Plan
    state: State
    environ: Mapping[str, str]
    now: datetime
    asked: Asked
    warn: Callable[[str], None]
    on_found: Callable[[int, int], None]
    on_read: Callable[[int, int], None]
    on_wait: Callable[[str], None]
    offline: bool = False
    forecast: bool = False
    redirect: "Redirect | None" = None


class PreviewedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A preview, and what it was made of.

    Attributes:
        plan: what the run follows: that of an unfinished run when the file was changed.
        targets: all of the plan, and those of an unfinished run.
        coming: the run that a start takes up.
        unusable: scopes that could not be used, and why.
        wrong: what is wrong in the plan itself, each with its place.
        read_nothing: whether no scope could be used at all.
    """

    preview: Preview
    plan: Plan
    targets: tuple[Target, ...]
    coming: NextRun
    unusable: Mapping[str, str] = {}
    wrong: tuple[str, ...] = ()
    read_nothing: bool = False


def preview_plan(request: PreviewRequest) -> PreviewedPlan:
    """The preview of a plan; after a run for this version, what has changed since, too.

    Raises:
        PlanError: the plan cannot be carried out.
        UsageError: the options do not fit the history of the fleet.
        ScopeUnusable: discovery is incomplete, or `expect` is not met.
        StateError: a run cannot be read.
    """
    if request.offline:
        return _offline(request)
    if request.redirect is not None:
        return _simulated(request, request.redirect)
    from orchestrator.app.preview.audit_history import history_of  # noqa: PLC0415  # only when it is asked for

    return _online(request, history_of(request.plan, request.state))


def _offline(request: PreviewRequest) -> PreviewedPlan:
    resolved = resolve_targets(request.plan)
    foreseen = _foreseen(request, resolved)
    coming, followed = foreseen.by_clocks({}), foreseen.plan
    plan = coming.in_force(followed)
    preview = make_preview(plan, resolved, coming=coming)
    if plan.finds_rates:
        from orchestrator.app.scopes.assume_rates import assume_rates  # noqa: PLC0415  # brings HTTP along

        rated, rates = assume_rates(plan, _memory(request))
        preview = structs.replace(make_preview(rated, resolved, coming=coming), rates=rates)
    preview = _rehearsed(preview, request, plan, coming, foreseen.known({}))
    return PreviewedPlan(
        preview=_warned(preview, foreseen.wrong_clock({})),
        plan=followed,
        targets=_all(resolved, coming),
        coming=coming,
    )


def _simulated(request: PreviewRequest, redirect: "Redirect") -> PreviewedPlan:
    """No audit: each simulated cloud is a new one, in which no run has upgraded anything."""
    written = resolve_targets(request.plan).targets
    with redirect(request.plan, written) as (pointed, environ):
        return _online(structs.replace(request, plan=pointed, environ=environ), None)


def _online(request: PreviewRequest, history: History | None) -> PreviewedPlan:
    from orchestrator.app.discover.discover import discover_now  # noqa: PLC0415  # brings HTTP along
    from orchestrator.app.preview.addresses_learned import (  # noqa: PLC0415  # brings the tracker along
        NOTHING_LEARNED,
        addresses_learned,
    )
    from orchestrator.app.preview.make_preview import preview_online  # noqa: PLC0415  # as above
    from orchestrator.app.preview.plan_mistakes import plan_mistakes  # noqa: PLC0415  # brings the report along
    from orchestrator.app.scopes.tell_pauses import telling_pauses  # noqa: PLC0415  # only when a cloud is asked

    memory, note = _memory(request), telling_pauses(request.on_wait)
    found = discover_now(request.plan, request.environ, request.on_found, memory, note)
    resolved = resolve_targets(request.plan, found.targets)
    foreseen = _foreseen(request, resolved)
    plan = foreseen.plan
    if foreseen.coming.changes:  # the run follows the plan that it was begun with, which this one is no audit of
        resolved, history = Resolved(list(foreseen.coming.targets), []), None
    real = request.redirect is None  # each simulated cloud is a new one, of which nothing was learned
    learned = addresses_learned(plan, resolved.targets, request.state) if real else NOTHING_LEARNED
    online = preview_online(
        foreseen.coming.in_force(plan),
        resolved,
        request.environ,
        partial(_read, request, len(resolved.targets)),
        foreseen,
        history=history,
        spent=found.calls,
        memory=memory,
        learned=learned,
        note=note,
    )
    coming, wrong = online.coming, plan_mistakes(plan, online.preview, resolved.targets)
    clouds = foreseen.known(online.clouds)
    preview = structs.replace(online.preview, warnings=(*wrong, *online.preview.warnings))
    preview = _warned(preview, foreseen.wrong_clock(online.clouds))
    played = structs.replace(coming, targets=tuple(map(learned.told, coming.targets)))
    return PreviewedPlan(
        preview=preview if online.read_nothing else _rehearsed(preview, request, online.expects, played, clouds),
        plan=plan,
        targets=_all(resolved, coming),
        coming=coming,
        unusable=online.unusable,
        wrong=wrong,
        read_nothing=online.read_nothing,
    )


def _read(request: PreviewRequest, total: int, done: int) -> None:
    request.on_read(done, total)


def _foreseen(request: PreviewRequest, resolved: Resolved) -> "Foreseen":
    """What a start takes up."""
    from orchestrator.app.preview.foresee import foresee, foresee_simulated  # noqa: PLC0415  # brings the tracker along

    plan, asked = request.plan, request.asked
    find = foresee if request.redirect is None else foresee_simulated
    return find(plan, resolved.targets, request.state, asked, request.now)


def _all(resolved: Resolved, coming: NextRun) -> tuple[Target, ...]:
    return tuple({target.proxy_id: target for target in (*resolved.targets, *coming.targets)}.values())


def _memory(request: PreviewRequest) -> "RateMemory":
    """What runs found of rates; nothing of a simulated cloud, which is a new one each time. It is only read."""
    from orchestrator.app.scopes.rate_memory import RateMemory, RatesPlace  # noqa: PLC0415  # brings HTTP along

    if request.redirect is not None:
        return RateMemory(environ=request.environ)
    at = RatesPlace(state=request.state, writes=False, warn=request.warn, warn_unshared=request.warn)
    return RateMemory(environ=request.environ, at=at)


def _warned(preview: Preview, warning: str | None) -> Preview:
    return preview if warning is None else structs.replace(preview, warnings=(warning, *preview.warnings))


def _rehearsed(
    preview: Preview, request: PreviewRequest, plan: Plan, coming: NextRun, clouds: Mapping[str, float]
) -> Preview:
    """The preview, with a forecast if one was asked for, else with what one rehearsal says of a small fleet."""
    from orchestrator.app.preview.preview_with_forecast import (  # noqa: PLC0415  # brings the executor along
        with_forecast,
        with_rehearsal,
    )

    memory, state, now = _memory(request), request.state, request.now
    if request.forecast:
        asked = request.asked
        return with_forecast(preview, plan, coming, memory=memory, state=state, now=now, clouds=clouds, asked=asked)
    return with_rehearsal(preview, plan, coming, memory=memory, state=state, now=now, clouds=clouds)
