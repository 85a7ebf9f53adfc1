"""How much time has passed: within a session, across sessions, with and without the cloud's `Date`."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model import record as r
from orchestrator.model.moment import Moment, elapsed_s
from orchestrator.model.timeline import Timeline

#: By the host's clock and by the cloud's, which are two hours apart.
HOST = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)
CLOUD = HOST + timedelta(hours=2)
SCOPE = "default"


def moment(session: int, host_s: float, cloud_s: float | None) -> Moment:
    cloud_at = None if cloud_s is None else CLOUD + timedelta(seconds=cloud_s)
    return Moment(HOST + timedelta(seconds=host_s), session, cloud_at)


@pytest.mark.parametrize(
    ("since", "now", "anchor", "seconds"),
    [
        pytest.param((1, 0, 0), (1, 60, 60), (1, 0, 0), 60, id="one session, both clocks agree"),
        pytest.param((1, 0, 0), (1, 60, 3660), (1, 0, 0), 60, id="the cloud's clock is set forward"),
        pytest.param((1, 0, 0), (1, 60, 10), (1, 0, 0), 10, id="the cloud's clock is set back a little"),
        pytest.param((1, 0, 0), (1, 60, -3600), (1, 0, 0), 0, id="the cloud's clock is set back"),
        pytest.param((1, 0, None), (1, 60, 60), (1, 0, 0), 60, id="the cloud's time was not known then"),
        pytest.param((1, 0, None), (1, 60, None), (1, 0, None), 60, id="it is not known at all"),
        pytest.param((1, 0, 0), (2, 900, 900), (2, 890, 890), 899, id="across sessions, both clocks agree"),
        pytest.param((1, 0, 0), (2, 180010, 900), (2, 180000, 890), 899, id="the host was two days ahead"),
        pytest.param((1, 0, 0), (2, -7190, 900), (2, -7200, 890), 899, id="the host was set back two hours"),
        pytest.param((1, 0, 0), (2, 10, 7200), (2, 0, 100), 109, id="the cloud was set forward in this session"),
        pytest.param((1, 0, 0), (2, 50, 20), (2, 0, 100), 19, id="the cloud was set back in this session"),
        pytest.param((1, 0, 0), (2, 10, -3000), (2, 0, -3010), 0, id="the cloud was set back between them"),
        pytest.param((1, 0, None), (2, 9010, 9010), (2, 9000, None), 10, id="not known then: this session only"),
        pytest.param((1, 0, 0), (2, 9010, None), (2, 9000, None), 10, id="not known now: this session only"),
    ],
)
def test_time_has_passed_only_when_both_clocks_say_so(
    since: tuple[int, float, float | None],
    now: tuple[int, float, float | None],
    anchor: tuple[int, float, float | None],
    seconds: float,
) -> None:
    assert elapsed_s(moment(*since), moment(*now), moment(*anchor)) == pytest.approx(seconds)


SPANS = st.floats(0, 1e6)
STEPS = st.floats(-1e6, 1e6)


@given(passed_s=SPANS, cloud_step_s=STEPS)
def test_in_a_session_no_step_of_the_cloud_makes_more_time(passed_s: float, cloud_step_s: float) -> None:
    found = elapsed_s(moment(1, 0, 0), moment(1, passed_s, passed_s + cloud_step_s), moment(1, 0, 0))
    assert 0 <= found <= passed_s + 1e-5
    assert found <= max(0, passed_s + cloud_step_s) + 1e-5


@given(before_s=SPANS, within_s=SPANS, host_step_s=STEPS, dated=st.booleans())
def test_between_sessions_no_step_of_the_host_makes_more_time(
    before_s: float, within_s: float, host_step_s: float, dated: bool
) -> None:
    began = before_s + host_step_s
    anchor = moment(2, began, before_s if dated else None)
    now = moment(2, began + within_s, before_s + within_s if dated else None)
    assert elapsed_s(moment(1, 0, 0), now, anchor) == pytest.approx(max(0, within_s + (before_s - 1) * dated), abs=1e-3)


@given(before_s=SPANS, within_s=SPANS, cloud_step_s=STEPS)
def test_a_step_of_the_cloud_in_a_later_session_makes_no_more_time(
    before_s: float, within_s: float, cloud_step_s: float
) -> None:
    anchor, now = moment(2, 0, before_s), moment(2, within_s, before_s + within_s + cloud_step_s)
    assert 0 <= elapsed_s(moment(1, 0, 0), now, anchor) <= before_s + within_s + 1e-3


# --- as a journal tells it --------------------------------------------------------------------------------------------


def started(timeline: Timeline, host_s: float) -> None:
    timeline.begin(r.SessionStarted(at=moment(0, host_s, None).at, number=1, pid=1, host="h", orchestrator_version="0"))


def learned(timeline: Timeline, host_s: float, offset_s: float) -> None:
    timeline.note(r.CloudTimeLearned(at=moment(0, host_s, None).at, scope=SCOPE, offset_s=offset_s))


def test_what_lies_before_the_first_date_of_a_session_is_taken_from_the_cloud() -> None:
    timeline = Timeline()
    started(timeline, 0)
    learned(timeline, 1, 7200)
    sent = timeline.moment(HOST + timedelta(seconds=5), SCOPE)
    assert sent == moment(1, 5, 5)
    started(timeline, 90000)
    assert timeline.elapsed_s(sent, HOST + timedelta(seconds=90030), SCOPE) == 30
    learned(timeline, 90030, 7200 - 90000 + 500)
    assert timeline.elapsed_s(sent, HOST + timedelta(seconds=90040), SCOPE) == pytest.approx(534)
    learned(timeline, 90040, 7200)
    assert timeline.elapsed_s(sent, HOST + timedelta(seconds=90041), SCOPE) == pytest.approx(535)


def test_a_later_session_waits_the_whole_time_again_without_a_date() -> None:
    timeline = Timeline()
    started(timeline, 0)
    sent = timeline.moment(HOST, SCOPE)
    started(timeline, 90000)
    learned(timeline, 90010, 7200)
    assert timeline.elapsed_s(sent, HOST + timedelta(seconds=90030), SCOPE) == 30


def test_a_wait_goes_on_by_monotonic_time_whatever_date_came_meanwhile() -> None:
    timeline = Timeline()
    started(timeline, 0)
    learned(timeline, 1, 0)
    postponed = timeline.moment(HOST + timedelta(seconds=10), SCOPE)
    learned(timeline, 11, -25 * 365 * 86_400)
    later = HOST + timedelta(seconds=70)
    assert timeline.elapsed_s(postponed, later, SCOPE) == 0
    assert timeline.waited_s(postponed, later, SCOPE) == 60


def test_a_wait_of_an_earlier_session_goes_on_by_the_clouds_time() -> None:
    timeline = Timeline()
    started(timeline, 0)
    learned(timeline, 1, 0)
    postponed = timeline.moment(HOST + timedelta(seconds=10), SCOPE)
    started(timeline, 90000)
    learned(timeline, 90000, 100 - 90000)
    at = HOST + timedelta(seconds=90000)
    assert timeline.waited_s(postponed, at, SCOPE) == timeline.elapsed_s(postponed, at, SCOPE) > 80


def test_of_several_clouds_the_one_counts_by_which_the_least_has_passed() -> None:
    timeline = Timeline()
    started(timeline, 0)
    for scope, offset_s in (("a", 0.0), ("b", 50.0), ("c", 0.0)):
        timeline.learn(scope, HOST, offset_s)
    soaking = timeline.moments(HOST, timeline.clouds(HOST, 0.0))
    started(timeline, 1000)
    assert not timeline.tells(soaking)
    timeline.learn("a", HOST + timedelta(seconds=1000), 0.0)
    timeline.learn("b", HOST + timedelta(seconds=1000), 30.0)
    assert timeline.tells(soaking)
    assert timeline.least_elapsed_s(soaking, HOST + timedelta(seconds=1000)) == pytest.approx(979)


def test_an_old_journal_tells_the_clouds_time_in_its_answers() -> None:
    from fakes.stage import fold_all, plan_of, targets_of  # noqa: PLC0415  # only this test needs them

    (target,) = targets_of(1)
    intent = r.Intent(
        at=HOST, target=target.proxy_id, attempt=1, wave="canary", token="t", source_version="1", target_version="2"
    )
    answer = r.AnswerSeen(at=HOST, target=target.proxy_id, attempt=1, verdict="accepted", cloud_offset_s=7200.0)
    run = fold_all(plan_of([target]), [intent, answer])
    assert run.state(target.proxy_id).accepted_at == Moment(HOST, 0, CLOUD)
