"""The story of one proxy in a rehearsal, in which nothing fails: `executor.story` step by step, without the cloud."""

from datetime import timedelta
from heapq import heappop, heappush
from math import ceil

from orchestrator.executor.decide.busy_target import busy_until
from orchestrator.executor.decide.openings import open_at
from orchestrator.executor.dispatch import REFUSED_PAUSE
from orchestrator.executor.scope.job_list import FRESH_S as LIST_FRESH_S
from orchestrator.executor.scope.poll_schedule import JOBS_PER_PAGE, next_look_s
from orchestrator.executor.target.preflight import stale
from orchestrator.forecast.environment import Scene, ScopeScene
from orchestrator.forecast.virtual_time import Process
from orchestrator.model.outcome import Outcome
from orchestrator.model.record import AnswerSeen, Intent, JobSeen, Postponed, Settled
from orchestrator.model.reply import Entry
from orchestrator.model.state import TargetState

#: How long a record takes to the disk.
_DISK_S = 0.005


def upgrade(scene: Scene, state: TargetState, wave: str) -> Process:
    """Preflight, attempt, follow, verify, settled."""
    scope = scene.scopes[state.target.scope]
    yield scope.start
    read_at_s = scene.agenda.now_s
    if state.key in scene.setting.left_out:
        _settle(scene, state, Outcome.ALREADY, wave)
        return
    yield from _list_jobs(scene, scope)
    if scene.rollout.only_accepted and _sibling_runs(scene, state):
        _postpone(scene, state, wave)
        return
    yield scope.line
    yield scene.sending
    yield scope.turn
    scope.line.release()
    age_s = scene.agenda.now_s - read_at_s
    if stale(age_s, scope.turnstile.pacer.rate) or not _may_start(scene, state):
        scene.sending.release()
        scene.rollout.queue.back(state.target, scene.agenda.now + REFUSED_PAUSE)
        scene.changed = True
        return
    yield from _send(scene, state, wave)
    if not scene.rollout.only_accepted:
        scene.agenda.resume(_follow(scene, scope, state))  # a story of its own: one generator less for every look


def _may_start(scene: Scene, state: TargetState) -> bool:
    """What the intent checks again, as far as it can have changed where nothing fails: windows and freezes."""
    return open_at(scene.rollout, state.target, scene.agenda.now)


def _list_jobs(scene: Scene, scope: ScopeScene) -> Process:
    """One listing serves all who ask within a minute."""
    while True:
        if scope.listing_now:
            yield scope
        elif scene.agenda.now_s - scope.listed_at_s <= LIST_FRESH_S:
            return
        else:
            scope.listing_now, asked_at_s = True, scene.agenda.now_s
            for _ in range(max(1, ceil(_running(scene, scope) / JOBS_PER_PAGE))):
                yield scope.listing
            scope.listing_now, scope.listed_at_s = False, asked_at_s
            for process in scope.waiting_for_list:
                scene.agenda.after(0.0, process)
            scope.waiting_for_list.clear()


def _running(scene: Scene, scope: ScopeScene) -> int:
    """Jobs that the list of the scope has now."""
    while scope.ends_s and scope.ends_s[0] <= scene.agenda.now_s:
        heappop(scope.ends_s)
    count = scene.run.tally.scopes.get(scope.name)
    return len(scope.ends_s) + (count.open if count else 0)


def _send(scene: Scene, state: TargetState, wave: str) -> Process:
    scene.note(_intent(scene, state, wave))
    yield _DISK_S + scene.setting.send_s
    scene.note(_accepted(scene, state))
    scene.sending.release()
    if scene.rollout.only_accepted:
        ends_s = scene.agenda.now_s + scene.duration()
        scene.ends_s.setdefault(state.target.instance_id, []).append(ends_s)
        heappush(scene.scopes[state.target.scope].ends_s, ends_s)
        _settle(scene, state, Outcome.ACCEPTED)


def _follow(scene: Scene, scope: ScopeScene, state: TargetState) -> Process:
    """Look until the upgrade has ended; then read version and health, if the plan asks for that."""
    agenda = scene.agenda
    accepted_s = agenda.now_s
    duration_s = scene.duration()
    ends_s = accepted_s - scene.setting.send_s / 2 + duration_s
    while True:
        yield _until_look_s(scene, scope, agenda.now_s - accepted_s, ends_s - accepted_s)
        yield scope.poll
        if agenda.now_s >= ends_s:
            break
    scene.note(_ended(scene, state, duration_s))
    if scene.plan.follow.to == "verified":
        yield scope.poll
        yield scope.poll
    _settle(scene, state, Outcome.SUCCEEDED)


def _until_look_s(scene: Scene, scope: ScopeScene, age_s: float, ends_s: float) -> float:
    """How long until the next look. Where the rate has slots to spare, looks that show nothing are only counted."""
    follow, expected_s = scene.plan.follow, scene.rollout.expected_s
    at_s = age_s
    while True:
        at_s = min(next_look_s(at_s, expected_s, follow.poll_s), max(follow.timeout_s, at_s))
        if not scope.roomy or at_s >= ends_s:
            return at_s - age_s
        scope.turnstile.calls += 1


# --- followed only to the answer --------------------------------------------------------------------------------------


def _sibling_runs(scene: Scene, state: TargetState) -> bool:
    """Whether the upgrades of other proxies keep the instance busy."""
    ends_s = scene.ends_s.get(state.target.instance_id, ())
    return sum(end_s > scene.agenda.now_s for end_s in ends_s) >= scene.plan.limits.per_instance


def _postpone(scene: Scene, state: TargetState, wave: str) -> None:
    now = scene.agenda.now
    busy_s = (now - state.busy_since.at).total_seconds() if state.busy_since else 0.0
    until = busy_until(scene.rollout, state, now, busy_s)
    if until is None:
        _settle(scene, state, Outcome.DEFERRED, wave)
        return
    scene.note(Postponed(at=now, target=state.key, wave=wave, why="busy", until=until, busy=True))


# --- records ----------------------------------------------------------------------------------------------------------


def _intent(scene: Scene, state: TargetState, wave: str) -> Intent:
    version = scene.plan.target_version
    return Intent(
        at=scene.agenda.now,
        target=state.key,
        attempt=1,
        wave=wave,
        token="",
        source_version="",
        target_version=version,
    )


def _accepted(scene: Scene, state: TargetState) -> AnswerSeen:
    entry = Entry(instance_id=state.target.instance_id, workflow_id=state.key, state="ACCEPT", error_message=None)
    return AnswerSeen(at=scene.agenda.now, target=state.key, attempt=1, verdict="accepted", update_result=(entry,))


def _ended(scene: Scene, state: TargetState, duration_s: float) -> JobSeen:
    ended_at = (state.accepted_at.at if state.accepted_at else scene.agenda.now) + timedelta(seconds=duration_s)
    return JobSeen(
        at=scene.agenda.now,
        target=state.key,
        attempt=1,
        workflow_id=state.key,
        status="Completed",
        ended=True,
        ended_at=ended_at,
    )


def _settle(scene: Scene, state: TargetState, outcome: Outcome, wave: str | None = None) -> None:
    scene.note(Settled(at=scene.agenda.now, target=state.key, outcome=outcome, wave=wave))
