"""What must hold for every fleet and every trouble, on virtual time, checked from the journal and the cloud's books."""

from collections import Counter
from datetime import timedelta

from fakes.checker import Checker
from fakes.clouds import Called, FakeCloud
from fakes.fleets import Scenario
from fakes.stage import Played, Stage, fold_all, resume
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.model.record import AnswerSeen, HoldReleased, Intent, RunEnded, SessionEnded
from orchestrator.model.state import TargetState

#: Sessions in which a run must end, or be stuck.
_MOST_SESSIONS = 60


def play_out(scenario: Scenario, stage: Stage) -> Played:
    """Start sessions until the run has ended or only a person can go on; holds are released at once."""
    played = stage.play()
    for session in range(_MOST_SESSIONS):
        check(stage, played)
        if played.run.ended or played.code == 6:
            return played
        # Cron comes too early, and then in time: a window opens at 22:00.
        night = played.ended_at.replace(hour=22, minute=0) + timedelta(days=played.ended_at.hour >= 22)
        pause = night - played.ended_at if stage.plan.windows and session % 2 else timedelta(minutes=5)
        following = resume(stage, played, after=pause, script=scenario.stops() if session < 8 else ())
        if played.run.hold is not None:
            release = HoldReleased(at=played.ended_at, by="ann", note="go on")
            following.records = [*played.records, release]
        played = following.play()
    raise AssertionError(f"no end after {_MOST_SESSIONS} sessions: {played.finish}, {played.outcomes()}")


def check(stage: Stage, played: Played) -> None:
    """What must hold after every session."""
    Checker(stage.plan).read(played.records)
    folded = fold_all(stage.plan, played.records)
    touched = {key: state for key, state in played.run.states.items() if state != TargetState(state.target)}
    assert folded.states == touched
    assert folded.tally == played.run.tally
    assert folded.waves == played.run.waves
    for cloud in played.clouds.values():
        assert all(count <= 1 for count in cloud.books.values()), cloud.books
        assert most_at_once(cloud) <= stage.plan.limits.per_instance
        for proxy_id, count in cloud.books.items():
            state = played.run.states[proxy_id]
            assert not count or state.attempts
            if state.outcome is not None and not without_id(state):
                assert state.jobs or state.upgraded_by, f"{proxy_id} has begun and nobody knows its job: {state}"


def without_id(state: TargetState) -> bool:
    """Whether the report states that the workflow could not be recovered."""
    return state.reason == "workflow_id not recovered"


def most_at_once(cloud: FakeCloud) -> int:
    """The most upgrades that ever ran on one instance at the same time."""
    most = 0
    for job in cloud.jobs_made:
        others = [other for other in cloud.jobs_made if other.instance_id == job.instance_id]
        most = max(most, sum(other.created_at <= job.created_at < other.ends_at for other in others))
    return most


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_every_fleet_keeps_the_rules(seed: int) -> None:
    scenario = Scenario(seed)
    play_out(scenario, scenario.stage())


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**9), cut=st.floats(0, 1), sent=st.booleans())
def test_a_run_cut_at_any_record_is_carried_to_its_end(seed: int, cut: float, *, sent: bool) -> None:
    """As if the process had died there. `sent`: whether calls left whose intent was just on disk."""
    scenario = Scenario(seed)
    stage = scenario.stage()
    played = stage.play()
    left = len(played.records) - isinstance(played.records[-1], RunEnded | SessionEnded) - bool(played.run.ended)
    play_out(scenario, cut_off(stage, played, 2 + int(cut * (left - 2)), sent=sent))


def cut_off(stage: Stage, played: Played, length: int, *, sent: bool) -> Stage:
    """The stage of the session after a death that left so many records."""
    records = played.records[:length]
    died_at = max(record.at for record in records)
    intents = Counter(record.target for record in records if isinstance(record, Intent))
    answered = Counter(record.target for record in records if isinstance(record, AnswerSeen))

    def left(proxy_id: str, number: int) -> bool:
        """Whether an upgrade call had left the process when it died."""
        return number < intents[proxy_id] and (sent or number < answered[proxy_id] or left_before(proxy_id, number))

    def left_before(proxy_id: str, number: int) -> bool:
        calls = [call.at for cloud in played.clouds.values() for call in cloud.calls if is_upgrade(call, proxy_id)]
        return number < len(calls) and calls[number] < died_at

    clouds = {name: cloud.as_of(cloud.clock, left) for name, cloud in played.clouds.items()}
    return resume(stage, played, records=records, clouds=clouds, start=died_at + timedelta(minutes=1))


def is_upgrade(call: Called, proxy_id: str) -> bool:
    return call.name == "upgrade" and call.key == proxy_id
