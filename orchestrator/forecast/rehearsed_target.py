"""The story of one proxy in a rehearsal, in which nothing fails: `executor.story` step by step, without the cloud."""

from collections.abc import Generator
from datetime import timedelta
from heapq import heappop, heappush
from math import ceil

from orchestrator.executor.decide.one_target.busy_target import busy_until
from orchestrator.executor.decide.opening.addresses import hopeless
from orchestrator.executor.decide.opening.start_gate import target_opening, window_opening
from orchestrator.executor.scope.poll_schedule import LIST_FRESH_S, REFUSED_PAUSE, TRUSTED_LISTS, next_look_s, stale
from orchestrator.forecast.environment import Environment, ScopeEnvironment
from orchestrator.forecast.virtual_time import Process, Waitable
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import AnswerSeen, Intent, JobSeen, Postponed, Settled
from orchestrator.model.reply.reply import JOBS_PER_PAGE, Entry
from orchestrator.model.run.state import TargetState

#: How long a record takes to the disk.
_DISK_S = 0.005


def upgrade(env: Environment, state: TargetState, wave: str) -> Process:
    """Preflight, attempt, follow, verify, settled."""
    scope = env.scopes[state.target.scope]
    if state.key not in env.setting.unread:
        if hopeless(env.rollout, state.target, env.events.now):
            _settle(env, state, Outcome.DEFERRED, wave)
            return
        yield scope.start
    read_at_s = env.events.now_s
    if state.key in env.setting.left_out:
        _settle(env, state, Outcome.ALREADY, wave)
        return
    yield from _list_jobs(env, scope)
    if env.rollout.only_accepted and _sibling_runs(env, state):
        _postpone(env, state, wave)
        return
    yield scope.line
    yield env.sending
    yield scope.turn
    scope.line.release()
    age_s = env.events.now_s - read_at_s
    if stale(age_s, scope.lanes.pacer.rate) or not _may_start(env, state):
        env.sending.release()
        env.rollout.queue.back(state.target, env.events.now + REFUSED_PAUSE)
        env.changed = True
        return
    yield from _send(env, state, wave)
    if not env.rollout.only_accepted:
        env.events.resume(_follow(env, scope, state))  # a story of its own: one generator less for every look


def _may_start(env: Environment, state: TargetState) -> bool:
    """What the intent checks again, as far as it can have changed where nothing fails: the calendar, `per_window`."""
    rollout, now = env.rollout, env.events.now
    return window_opening(rollout, now).open and target_opening(rollout, state.target, now).open


def _list_jobs(env: Environment, scope: ScopeEnvironment) -> Process:
    """One listing serves all who ask within a minute."""
    while True:
        if scope.listing_now:
            yield scope
        elif env.events.now_s - scope.listed_at_s <= LIST_FRESH_S:
            return
        else:
            scope.listing_now, asked_at_s = True, env.events.now_s
            for _ in range(max(1, ceil(_running(env, scope) / JOBS_PER_PAGE))):
                yield scope.listing
            scope.listing_now, scope.listed_at_s = False, asked_at_s
            for process in scope.waiting_for_list:
                env.events.after(0.0, process)
            scope.waiting_for_list.clear()


def _running(env: Environment, scope: ScopeEnvironment) -> int:
    """Jobs that the list of the scope has now."""
    while scope.ends_s and scope.ends_s[0] <= env.events.now_s:
        heappop(scope.ends_s)
    count = env.run.tally.scopes.get(scope.name)
    return len(scope.ends_s) + (count.open if count else 0)


def _send(env: Environment, state: TargetState, wave: str) -> Process:
    env.note(_intent(env, state, wave))
    yield _DISK_S + env.setting.send_s
    env.note(_accepted(env, state))
    env.sending.release()
    if env.rollout.only_accepted:
        ends_s = env.events.now_s + env.duration()
        env.ends_s.setdefault(state.target.instance_id, []).append(ends_s)
        heappush(env.scopes[state.target.scope].ends_s, ends_s)
        _settle(env, state, Outcome.ACCEPTED)


def follow_on(env: Environment, state: TargetState) -> Process:
    """The story of one that an earlier session sent: its upgrade is followed to its end, which may be long past."""
    began = state.accepted_at or state.last.sent
    yield from _follow(env, env.scopes[state.target.scope], state, began_s=env.events.seconds_at(began.at))


def _follow(env: Environment, scope: ScopeEnvironment, state: TargetState, began_s: float | None = None) -> Process:
    """Look until the upgrade has ended; then read version and health, if the plan asks for that."""
    events = env.events
    accepted_s = events.now_s if began_s is None else began_s
    seen_s = events.now_s
    duration_s = env.duration()
    ends_s = accepted_s - env.setting.send_s / 2 + duration_s
    lists, scope.list_use.followed = 0, scope.list_use.followed + 1
    while True:
        yield _until_look_s(env, seen_s - accepted_s, events.now_s - accepted_s)
        asked_s = (yield from _asked_list(env, scope, seen_s)) if lists < TRUSTED_LISTS else None
        if asked_s is not None and _shows(scope, asked_s, ends_s):
            lists, seen_s = lists + 1, asked_s
            continue
        yield scope.poll
        if events.now_s >= ends_s:
            break
        lists, seen_s = 0, events.now_s
    scope.list_use.followed -= 1
    for workflow_id in state.unfinished_jobs:
        env.note(_ended(env, state, workflow_id, duration_s))
    if env.plan.follow.to == "verified":
        yield scope.poll
        yield scope.poll
    _settle(env, state, Outcome.SUCCEEDED)


def _until_look_s(env: Environment, seen_s: float, age_s: float) -> float:
    """How long until the next look, from the age as of which something is known, and the present one."""
    follow = env.plan.follow
    at_s = max(next_look_s(seen_s, env.rollout.expected_s, follow.poll_s), seen_s + follow.poll_s)
    return max(0.0, min(at_s, max(follow.timeout_s, age_s)) - age_s)


def _asked_list(
    env: Environment, scope: ScopeEnvironment, after_s: float
) -> Generator["float | Waitable", None, float | None]:
    """When the list that serves all who look was asked for, now if that pays; None without one."""
    now_s = env.events.now_s
    if scope.running_at_s <= max(after_s, now_s - env.plan.follow.poll_s):
        if not scope.list_use.pays(now_s - scope.running_at_s):
            return None
        scope.running_at_s, scope.list_use.rows = now_s, _running(env, scope)
        scope.list_use.begin()
        for _ in range(max(1, ceil(scope.list_use.rows / JOBS_PER_PAGE))):
            yield scope.poll
    return scope.running_at_s


def _shows(scope: ScopeEnvironment, asked_s: float, ends_s: float) -> bool:
    shown = ends_s > asked_s
    scope.list_use.note(shown=shown)
    return shown


# --- followed only to the answer --------------------------------------------------------------------------------------


def _sibling_runs(env: Environment, state: TargetState) -> bool:
    """Whether the upgrades of other proxies keep the instance busy."""
    ends_s = env.ends_s.get(state.target.instance_id, ())
    return sum(end_s > env.events.now_s for end_s in ends_s) >= env.plan.limits.per_instance


def _postpone(env: Environment, state: TargetState, wave: str) -> None:
    now = env.events.now
    busy_s = (now - state.busy_since.at).total_seconds() if state.busy_since else 0.0
    until = busy_until(env.rollout, state, now, busy_s)
    if until is None:
        _settle(env, state, Outcome.DEFERRED, wave)
        return
    env.note(Postponed(at=now, target=state.key, wave=wave, why="busy", until=until, busy=True))


# --- records ----------------------------------------------------------------------------------------------------------


def _intent(env: Environment, state: TargetState, wave: str) -> Intent:
    version = env.plan.target_version
    return Intent(
        at=env.events.now,
        target=state.key,
        attempt=1,
        wave=wave,
        token="",
        source_version="",
        target_version=version,
    )


def _accepted(env: Environment, state: TargetState) -> AnswerSeen:
    entry = Entry(instance_id=state.target.instance_id, workflow_id=state.key, state="ACCEPT", error_message=None)
    return AnswerSeen(at=env.events.now, target=state.key, attempt=1, verdict="accepted", update_result=(entry,))


def _ended(env: Environment, state: TargetState, workflow_id: str, duration_s: float) -> JobSeen:
    ended_at = (state.accepted_at.at if state.accepted_at else env.events.now) + timedelta(seconds=duration_s)
    return JobSeen(
        at=env.events.now,
        target=state.key,
        attempt=1,
        workflow_id=workflow_id,
        status="Completed",
        ended=True,
        ended_at=ended_at,
    )


def _settle(env: Environment, state: TargetState, outcome: Outcome, wave: str | None = None) -> None:
    env.note(Settled(at=env.events.now, target=state.key, outcome=outcome, wave=wave))
