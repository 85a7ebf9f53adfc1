"""One random rollout from its first session to its end, every journal of it judged."""

from collections import Counter
from datetime import timedelta

from fakes.clouds import FakeCloud
from fakes.fleets import Scenario
from fakes.stage import Played, Stage, fold_all, resume
from fakes.vpc import Vpc
from judge.books import Books, Start
from judge.gates import Given, gate_violations
from judge.journal import expect_kept
from judge.neighbours import capacity_violations, event_violations
from judge.per_window import per_window_violations
from properties.cut import cut_anywhere

from orchestrator.model.plan.plan import Plan
from orchestrator.model.record.record import HoldReleased, Record, WaveApproved
from orchestrator.model.run.state import TargetState
from orchestrator.tracker.report.build import build_report

#: Sessions in which a run must end, or be stuck, however unlucky the instants at which cron starts it.
_MOST_SESSIONS = 150


def try_seed(seed: int, *, cut: bool) -> Counter[str]:
    """Play the random rollout of a seed.

    Args:
        seed: of everything.
        cut: whether its first session dies at some record.

    Returns:
        how often what was met.

    Raises:
        AssertionError: a rule was broken.
    """
    scenario = Scenario(seed)
    stage = scenario.stage()
    met = play_out(scenario, cut_anywhere(stage, stage.play(), scenario.random) if cut else stage)
    plan = scenario.plan
    met.update({"plans": 1, "targets": len(plan.proxies), f"plan: {plan.failures.mode}": 1, "plan: cut": cut})
    kinds = {"windows": plan.windows, "instance windows": plan.windows == "instance", "freezes": plan.freezes}
    kinds |= {"several scopes": len(plan.scopes) > 1, "several waves": len(plan.waves) > 1, "ramp": plan.limits.ramp}
    kinds |= {"gates": bool(plan.gates), "per_window": plan.limits.per_window is not None}
    kinds |= {"subnets": bool(scenario.subnets), "events": bool(scenario.events)}
    met.update({f"plan: {name}": int(bool(has)) for name, has in kinds.items()})
    return met


def play_out(scenario: Scenario, stage: Stage, rules: Plan | None = None) -> Counter[str]:
    """Start sessions until the run has ended or only a person can go on; holds are released at once.

    Args:
        scenario: says when sessions are stopped, and when cron starts the next one.
        stage: of the first session.
        rules: what is kept to; None for the plan that is played.

    Returns:
        how often what was met.
    """
    rules = rules or stage.plan
    played = stage.play()
    for session in range(_MOST_SESSIONS):
        met = check(rules, stage, played, scenario.ahead)
        _check_neighbours(scenario, rules, stage, played)
        if played.run.ended or played.code == 6:
            return met
        script = scenario.stops() if session < 8 else ()
        start = scenario.next_start(played.ended_at)
        stage = resume(stage, played, start=start, script=script, wait_s=scenario.patience())
        if played.run.hold is not None:
            stage.records = [*played.records, _release(scenario, played)]
        played = stage.play()
    raise AssertionError(f"no end after {_MOST_SESSIONS} sessions: {played.finish}, {played.outcomes()}")


def _check_neighbours(scenario: Scenario, rules: Plan, stage: Stage, played: Played) -> None:
    """What must hold of everything that a run is told by others, and by its own past."""
    given = [Given(*each) for each in scenario.gates.given]
    short = [each for cloud in played.clouds.values() if isinstance(cloud, Vpc) for each in cloud.short]
    found = (
        *gate_violations(stage.plan, played.records, given),
        *per_window_violations(rules, played.records, scenario.ahead),
        *capacity_violations(rules, played.records, short),
        *event_violations(rules, played.records, scenario.events, scenario.ahead),
    )
    assert not found, found[0]


def _release(scenario: Scenario, played: Played) -> Record:
    held = played.run.hold
    if held is not None and held.cause == "approval" and scenario.random.random() < 0.5:
        return WaveApproved(at=played.ended_at, wave=held.wave or "", by="ann", note="go on")
    return HoldReleased(at=played.ended_at, by="ann", note="go on")


def check(rules: Plan, stage: Stage, played: Played, ahead: timedelta) -> Counter[str]:
    """What must hold after every session."""
    met = expect_kept(rules, played.records, lambda at: (at + ahead,))
    folded = fold_all(stage.plan, played.records)
    touched = {key: state for key, state in played.run.states.items() if state != TargetState(state.target)}
    assert folded.states == touched
    assert folded.tally == played.run.tally
    assert folded.waves == played.run.waves
    for cloud in played.clouds.values():
        assert most_at_once(cloud) <= rules.limits.per_instance
    assert [str(broken) for broken in _books(played).judge(build_report(played.run, stage.plan).targets)] == []
    return met


def _books(played: Played) -> Books:
    """Of all scopes together."""
    jobs = (job for cloud in played.clouds.values() for job in cloud.jobs_made if job.proxy_id)
    return Books([Start(str(job.proxy_id), job.job_id, job.created_at.timestamp()) for job in jobs])


def most_at_once(cloud: FakeCloud) -> int:
    """The most upgrades that ever ran on one instance at the same time."""
    most = 0
    for job in cloud.jobs_made:
        others = [other for other in cloud.jobs_made if other.instance_id == job.instance_id]
        most = max(most, sum(other.created_at <= job.created_at < other.ends_at for other in others))
    return most
