"""Gates on virtual time: nothing starts through a closed one, and what a gate kept back starts when it opens."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

import pytest
from fakes.clock import START, VirtualClock
from fakes.gates import Answers, KeptGates
from fakes.stage import Played, Stage, plan_of, resume, targets_of
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.health_gate import GateAnswer, GateFinding, GateQuestion, HealthGate
from orchestrator.model.plan.plan import Failures, Follow, Limits, Wave
from orchestrator.model.plan.selection import Selector
from orchestrator.model.record.gate_record import GateAnswered
from orchestrator.model.record.record import HoldReleased, HoldSet, Intent, Record, SessionEnded, WaveDone, WaveOpened

ORDERS = HealthGate(name="orders", command=("check",))
ONE_WAVE = (Wave(name="all"),)


def seconds(instant: datetime) -> float:
    return (instant - START).total_seconds()


def between(*spans: tuple[float, float], then: GateAnswer = "fails") -> Answers:
    """Passes at all times but these."""

    def answer(_gate: str, at: datetime) -> GateAnswer:
        return then if any(start <= seconds(at) < end for start, end in spans) else "passes"

    return answer


class Asked(KeptGates):
    @property
    def times(self) -> list[float]:
        return [seconds(at) for gates in self.sessions for at, _ in gates.asked]


def stage(asked: Asked, gates: Sequence[HealthGate] = (ORDERS,), *, targets: int = 6, **changes: Any) -> Stage:
    values = {
        "waves": ONE_WAVE,
        "limits": Limits(ramp=False, in_flight=Amount(2)),
        "failures": Failures(max=Amount(10)),
        "follow": Follow(expected_s=100.0),
    }
    targets_ = targets_of(targets)
    return Stage(plan=plan_of(targets_, **{**values, "gates": tuple(gates), **changes}), gates=asked)


def starts(played: Played) -> list[float]:
    return [seconds(record.at) for record in played.of(Intent)]


def test_a_gate_that_passes_lets_all_through_and_is_asked_first() -> None:
    asked = Asked(between())
    played = stage(asked).play()
    assert played.outcomes() == {"succeeded": 6}
    assert min(asked.times) < min(starts(played))
    [record] = played.of(GateAnswered)
    assert (record.gate, record.answer, record.open, record.evidence) == ("orders", "passes", True, "orders passes")


def test_nothing_starts_while_it_fails_and_what_is_open_is_followed() -> None:
    asked = Asked(between((5, 1000)))
    played = stage(asked).play()
    assert played.outcomes() == {"succeeded": 6}
    assert not [at for at in starts(played) if 40 < at < 1000]
    written = [record.open for record in played.of(GateAnswered) if not record.again]
    assert written == [True, False, False, True]


def test_a_closed_gate_opens_after_enough_answers_in_a_row() -> None:
    gate = HealthGate(name="orders", command=("check",), passes=3, every_s=30.0)
    asked = Asked(between((0, 100)))
    played = stage(asked, [gate]).play()
    first = min(starts(played))
    passed = [seconds(at) for at, _, answer in asked.sessions[0].given if answer == "passes"]
    assert passed[2] <= first <= passed[2] + gate.every_s


@given(st.integers(0, 1 << 32))
@settings(max_examples=20)
def test_once_it_may_open_something_starts_within_every_times_passes(seed: int) -> None:
    random = Random(seed)
    every_s, passes, takes_s = random.choice((2.0, 5.0, 30.0, 120.0)), random.randint(1, 4), random.uniform(0.0, 1.5)
    gate = HealthGate(name="orders", command=("check",), every_s=every_s, timeout_s=10.0, passes=passes)
    begins_s = random.uniform(0.0, 150.0)
    ends_s = begins_s + random.uniform(400.0, 2500.0)  # by then nothing is under way any more
    then: GateAnswer = random.choice(("fails", "error"))
    asked = Asked(between((begins_s, ends_s), then=then), takes_s=takes_s)
    played = stage(asked, [gate], targets=12).play()
    assert played.outcomes() == {"succeeded": 12}
    first = min(at for at in starts(played) if at >= ends_s)
    assert first - ends_s <= passes * (every_s + takes_s) + 5.0, "a few seconds to read the proxy"


def test_one_bad_answer_closes_it() -> None:
    gate = HealthGate(name="orders", command=("check",), every_s=5.0)
    numbers = count(1)
    asked = Asked(lambda _gate, _at: "fails" if next(numbers) == 3 else "passes")
    played = stage(asked, [gate], targets=12).play()
    assert played.outcomes() == {"succeeded": 12}
    bad = [seconds(at) for at, _, answer in asked.sessions[0].given if answer == "fails"]
    good = [seconds(at) for at, _, answer in asked.sessions[0].given if answer == "passes" and seconds(at) > bad[0]]
    assert not [start for start in starts(played) if bad[0] < start < good[1]]


@pytest.mark.parametrize(("on_error", "begins"), [("closed", False), ("open", True)])
def test_without_an_answer_it_is_what_the_plan_says(on_error: Any, begins: bool) -> None:
    gate = HealthGate(name="orders", command=("check",), on_error=on_error)
    played = stage(Asked(between((0, 1e9), then="error")), [gate], targets=2).play()
    assert bool(starts(played)) is begins


def test_an_old_answer_is_none() -> None:
    """Nothing starts by an answer older than `every` and `timeout` together, also when slots come free much later."""
    gate = HealthGate(name="orders", command=("check",), every_s=2.0, timeout_s=1.0)
    asked = Asked(between())
    played = stage(asked, [gate]).play()
    given = [seconds(at) for at, _, _ in asked.sessions[0].given]
    for start in starts(played):
        assert any(start - gate.fresh_s <= at <= start for at in given), start


def test_an_answer_is_as_old_as_a_cache_on_the_way_has_had_it() -> None:
    gate = HealthGate(name="orders", command=("check",), every_s=20.0, timeout_s=1.0)
    asked = Asked(between(), age_s=15.0)
    played = stage(asked, [gate], limits=Limits(rate=0.5, ramp=False, in_flight=Amount(2))).play()
    given = [seconds(at) for at, _, _ in asked.sessions[0].given]
    assert played.outcomes() == {"succeeded": 6}
    for start in starts(played):
        assert any(start - (gate.fresh_s - 15.0) <= at <= start for at in given), start


def test_it_is_not_asked_while_nothing_could_start() -> None:
    asked = Asked(between())
    played = stage(asked, targets=2).play()  # both start at once; there is nothing to ask for while they run
    assert played.outcomes() == {"succeeded": 2}
    assert max(asked.times) <= max(starts(played))


def test_a_gate_for_some_targets_keeps_only_them_back() -> None:
    gate = HealthGate(name="orders", command=("check",), select=Selector(labels={"app": "a1"}))
    asked = Asked(between((0, 500)))
    played = stage(asked, [gate]).play()
    kept = {target.proxy_id for target in played.run.targets.values() if target.labels["app"] == "a1"}
    first = {record.target: seconds(record.at) for record in played.of(Intent)}
    assert len(first) == 6
    assert all((first[key] >= 500) is (key in kept) for key in first)


def test_a_closed_gate_for_some_ends_no_wave() -> None:
    gate = HealthGate(name="orders", command=("check",), select=Selector(labels={"app": "a1"}))
    waves = (Wave(name="first", size=Amount(5)), Wave(name="rest"))  # one of the two that are kept back at least
    played = stage(Asked(between((0, 3000))), [gate], waves=waves).play()
    done = next(record for record in played.of(WaveDone) if record.wave == "first")
    assert seconds(done.at) > 3000
    assert played.outcomes() == {"succeeded": 6}


def test_a_gate_between_waves_is_asked_before_the_next_one_opens() -> None:
    gate = HealthGate(name="orders", command=("check",), at=("wave",))
    waves = (Wave(name="canary", size=Amount(1)), Wave(name="rest"))
    asked = Asked(between((0, 2000)))
    played = stage(asked, [gate], waves=waves).play()
    opened = {record.wave: seconds(record.at) for record in played.of(WaveOpened)}
    assert opened["canary"] < 1
    assert opened["rest"] >= 2000
    assert asked.times[0] > min(starts(played))


@pytest.mark.parametrize("at", [("wave",), ("start", "wave")])
@pytest.mark.parametrize("every_s", [30.0, 3600.0])
@pytest.mark.parametrize("takes_s", [0.0, 400.0])
def test_what_a_gate_said_before_a_wave_was_done_opens_no_next_one(at: Any, every_s: float, takes_s: float) -> None:
    """However young the answer is; and one to a question from before, which comes after, is none either."""
    gate = HealthGate(name="orders", command=("check",), at=at, every_s=every_s, timeout_s=takes_s + 10)
    waves = (Wave(name="canary", size=Amount(1)), Wave(name="early", size=Amount(1)), Wave(name="rest"))
    asked = Asked(between(), takes_s=takes_s)
    played = stage(asked, [gate], waves=waves).play()
    assert played.outcomes() == {"succeeded": 6}
    done = {record.wave: seconds(record.at) for record in played.of(WaveDone)}
    opened = {record.wave: seconds(record.at) for record in played.of(WaveOpened)}
    for before, after in (("canary", "early"), ("early", "rest")):
        assert any(done[before] <= each < opened[after] - takes_s + 0.001 for each in asked.times)


def test_closed_for_too_long_it_holds_the_fleet_with_what_it_said() -> None:
    gate = HealthGate(name="orders", command=("check",), hold_after_s=600.0)
    played = stage(Asked(between((0, 1e9))), [gate]).play()
    [hold] = played.of(HoldSet)
    assert hold.cause == "gate"
    assert hold.reason == "gate orders has been closed for 10 min: it fails: orders fails"
    assert 600 <= seconds(hold.at) < 640
    assert (played.code, starts(played)) == (3, [])


def test_the_reason_of_a_hold_is_what_it_said_last_and_not_what_closed_it() -> None:
    gate = HealthGate(name="orders", command=("check",), hold_after_s=600.0)

    class Worse:
        def __init__(self, clock: VirtualClock) -> None:
            self.clock = clock

        async def ask(self, _gate: HealthGate, _question: GateQuestion) -> GateFinding:
            lag = 1 + int(seconds(self.clock.now()) // 60)
            return GateFinding(answer="fails", status=503, value=float(lag), evidence=f"lag {lag}")

    built = stage(Asked(between()), [gate])
    built.gates = Worse
    played = built.play()
    assert played.of(HoldSet)[0].reason.endswith("it fails: lag 10")
    written = played.of(GateAnswered)
    assert played.run.gates["orders"].latest == written[-1]
    assert len(written) <= 12, "no more often than once a minute, but for the first one"


def test_a_gate_is_closed_since_it_was_closed_first_and_holds_by_the_time_of_all_sessions() -> None:
    gate = HealthGate(name="orders", command=("check",), hold_after_s=900.0, every_s=10.0)
    first = stage(Asked(between((0, 1e9))), [gate])
    first.ends_at = START + timedelta(minutes=10)
    played = first.play()
    assert not played.of(HoldSet)
    again = resume(first, played, after=timedelta(days=1)).play()
    status, [hold] = again.run.gates["orders"], again.of(HoldSet)
    assert seconds(status.since) < 10
    assert hold.reason.startswith("gate orders has been closed for 15 min")
    assert 300 <= (hold.at - again.started_at).total_seconds() < 340


def killed(played: Played, at_s: float) -> list[Record]:
    """What is in the journal of a session that was killed then."""
    return [record for record in played.records if seconds(record.at) <= at_s and not isinstance(record, SessionEnded)]


@pytest.mark.parametrize(
    ("hold_after_s", "every_s", "lives_s"), [(1800.0, 30.0, 400.0), (1800.0, 2.0, 25.0), (40.0, 2.0, 30.0)]
)
def test_sessions_that_are_killed_keep_their_time_until_a_hold(
    hold_after_s: float, every_s: float, lives_s: float
) -> None:
    """At most half of it is lost, and at most a minute, a share of `hold_after`, and `every`."""
    gate = HealthGate(name="orders", command=("check",), hold_after_s=hold_after_s, every_s=every_s)
    first = stage(Asked(between((0, 1e9))), [gate])
    first.ends_at = START + timedelta(seconds=lives_s + 60)
    played = first.play()
    kept = killed(played, lives_s)
    again = resume(first, played, records=kept).play()
    [hold] = again.of(HoldSet)
    counted_s = hold_after_s - (hold.at - again.started_at).total_seconds()
    lost_s = min(lives_s / 2, 60.0, hold_after_s / 4) + every_s
    assert lives_s - lost_s - every_s <= counted_s <= lives_s
    assert "it fails" in hold.reason


def test_what_a_closed_gate_says_again_is_written_down_seldom_and_told_as_such() -> None:
    gate = HealthGate(name="orders", command=("check",), every_s=2.0)
    written = stage(Asked(between((0, 1e9))), [gate]).play().of(GateAnswered)
    assert [record.again for record in written[:2]] == [False, True]
    assert 60 <= len(written) <= 60 + 8, "an hour, and the first minute"
    assert {(record.open, record.evidence) for record in written} == {(False, "orders fails")}


A1 = Selector(labels={"app": "a1"})


def test_a_gate_for_some_holds_nothing_when_none_of_them_is_left() -> None:
    targets = [structs.replace(each, labels={"app": f"a{1 + at // 2}"}) for at, each in enumerate(targets_of(8))]
    gate = HealthGate(name="orders", command=("check",), select=A1, hold_after_s=120.0)
    built = stage(Asked(between((300, 1e9))), [gate])
    built.plan = structs.replace(
        built.plan, proxies=tuple(targets), waves=(Wave(name="orders", select=A1), Wave(name="rest"))
    )
    played = built.play()
    assert [record.open for record in played.of(GateAnswered) if not record.again] == [True, False]
    assert not played.of(HoldSet)
    assert played.outcomes() == {"succeeded": 8}


def test_a_closed_gate_is_asked_on_while_others_wait_for_slots() -> None:
    """What the run is said to wait for is the slot of an instance; the gate opens meanwhile."""
    targets = [
        structs.replace(each, labels={"app": f"a{at // 6}"}) for at, each in enumerate(targets_of(8, per_instance=2))
    ]
    asked = Asked(between((0, 20)))
    built = stage(asked, [HealthGate(name="orders", command=("check",), select=A1)])
    built.plan = structs.replace(built.plan, proxies=tuple(targets), limits=Limits(ramp=False, in_flight=Amount(5)))
    built.play()
    assert asked.times[:3] == pytest.approx([0, 30, 60], abs=0.1)


def test_a_release_begins_the_time_until_a_hold_again() -> None:
    gate = HealthGate(name="orders", command=("check",), hold_after_s=600.0)
    first = stage(Asked(between((0, 1e9))), [gate])
    played = first.play()
    released = HoldReleased(at=played.ended_at, by="ann", note="the check is wrong")
    again = resume(first, played, records=[*played.records, released]).play()
    holds = [seconds(record.at) for record in again.of(HoldSet)]
    assert len(holds) == 2
    assert holds[1] - seconds(released.at) >= 600


def test_closed_for_as_long_as_a_session_waits_it_leaves_the_rest_for_later() -> None:
    played = stage(Asked(between((0, 1e9)))).play()
    assert (played.code, starts(played)) == (5, [])
    assert played.finish.why == "gate orders is closed"
    assert 3600 <= played.seconds < 3700


def test_in_the_next_session_a_closed_gate_needs_its_answers_in_a_row_again() -> None:
    gate = HealthGate(name="orders", command=("check",), passes=2, every_s=30.0)
    asked = Asked(between((0, 3600)))
    first = stage(asked, [gate])
    played = first.play()
    again = resume(first, played, after=timedelta(hours=1)).play()
    given = [seconds(at) for at, _, _ in asked.sessions[1].given]
    assert min(starts(again)) >= given[1]
    assert again.outcomes() == {"succeeded": 6}
    assert [record.exit_code for record in again.of(SessionEnded)] == [5, 0]


def test_a_question_that_fails_in_this_program_is_no_answer_and_touches_nothing_else() -> None:
    class Broken:
        async def ask(self, _gate: object, _question: object) -> Any:
            raise ZeroDivisionError

    good, asked = HealthGate(name="good", command=("check",)), Asked(between())
    bad = HealthGate(name="bad", command=("check",), select=Selector(labels={"app": "a1"}))

    class Both:
        def __init__(self, clock: VirtualClock) -> None:
            self.good = asked(clock)

        async def ask(self, gate: HealthGate, question: Any) -> Any:
            return await (Broken() if gate.name == "bad" else self.good).ask(gate, question)

    built = stage(asked, [good, bad])
    built.gates = Both
    played = built.play()
    assert played.outcomes() == {"succeeded": 4, "waiting": 2}
    assert any("gate bad" in warning for warning in played.run.warnings)


def test_the_question_says_where_the_run_stands() -> None:
    asked = Asked(between())
    stage(asked).play()
    _, question = asked.sessions[0].asked[0]
    assert (question.gate, question.fleet, question.run_id, question.wave) == ("orders", "fleet", "r1", "all")
    assert (question.upgraded, question.waiting) == (0, 6)


def test_a_gate_is_asked_on_while_the_last_target_is_read() -> None:
    """Reading it takes longer than an answer counts: without a fresh one its intent would be refused for ever."""
    brief = HealthGate(name="orders", command=("check",), every_s=2.0, timeout_s=1.0)
    limits = Limits(rate=0.5, ramp=False, in_flight=Amount(2))
    asked = Asked(between())
    made = stage(asked, [brief], targets=1, limits=limits)
    made.ends_at = START + timedelta(minutes=5)
    played = made.play()

    assert played.outcomes() == {"succeeded": 1}
    assert played.cloud.counts["proxy_version"] <= 3
    (start,) = starts(played)
    assert any(start - brief.fresh_s <= at <= start for at in asked.times)
