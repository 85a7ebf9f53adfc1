"""How much time has passed: within a session, across sessions, with and without the cloud's `Date`."""

from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.learned.timeline import Timeline
from orchestrator.model.record import record as r
from orchestrator.model.record.moment import Moment

#: By the host's clock and by the cloud's, which are two hours apart.
HOST = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)
CLOUD = HOST + timedelta(hours=2)
SCOPE = "default"


def moment(session: int, host_s: float, cloud_s: float | None) -> Moment:
    cloud_at = None if cloud_s is None else CLOUD + timedelta(seconds=cloud_s)
    return Moment(HOST + timedelta(seconds=host_s), session, cloud_at)


def started(timeline: Timeline, host_s: float) -> None:
    timeline.begin(r.SessionStarted(at=moment(0, host_s, None).at, number=1, pid=1, host="h", orchestrator_version="0"))


def learned(timeline: Timeline, host_s: float, offset_s: float, unsure_s: float | None = None) -> None:
    at = moment(0, host_s, None).at
    timeline.note(r.CloudTimeLearned(at=at, scope=SCOPE, offset_s=offset_s, unsure_s=unsure_s))


def at(timeline: Timeline, host_s: float) -> Moment:
    return timeline.moment(HOST + timedelta(seconds=host_s), SCOPE)


# --- in a session -----------------------------------------------------------------------------------------------------

#: When an answer last agreed, when the next was read, and by how much the cloud's clock had changed meanwhile.
Change: TypeAlias = tuple[float, float, float]


def passed_s(since_s: float, now_s: float, *changes: Change) -> float:
    """How much time has passed in a session at whose start the cloud's time was learned."""
    timeline, offset_s = Timeline(), 7200.0
    started(timeline, 0)
    learned(timeline, 0, offset_s)
    since = None
    for agreed_s, seen_s, by_s in changes:
        if since_s <= seen_s and since is None:
            since = at(timeline, since_s)
        offset_s += by_s
        learned(timeline, seen_s, offset_s, seen_s - agreed_s)
    return timeline.elapsed_s(since or at(timeline, since_s), at(timeline, now_s).at, SCOPE)


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        pytest.param([], 60, id="both clocks agree"),
        pytest.param([(30, 35, 3600)], 60, id="the cloud's clock is set forward"),
        pytest.param([(30, 35, -3)], 57, id="the cloud's clock is set back a little"),
        pytest.param([(30, 35, -3600)], 55, id="the cloud's clock is set back"),
        pytest.param([(0, 35, -3600)], 35, id="it is set back at some time since this began"),
        pytest.param([(30, 35, 8e8), (40, 41, -8e8)], 59, id="it was forward for a while"),
        pytest.param([(30, 35, -8e8), (40, 41, 8e8)], 55, id="it was back for a while"),
        pytest.param([(2, 9, -8e8)], 60, id="it was set back before"),
    ],
)
def test_in_a_session_time_has_passed_only_when_both_clocks_say_so(changes: list[Change], seconds: float) -> None:
    assert passed_s(10, 70, *changes) == pytest.approx(seconds)


def test_a_date_that_was_wrong_when_something_began_stands_for_no_later_one() -> None:
    assert passed_s(10, 70, (1, 5, 8e8), (11, 12, -8e8)) == pytest.approx(59)
    assert passed_s(10, 70, (1, 5, -8e8), (11, 12, 8e8)) == pytest.approx(60)


SPANS = st.floats(0, 1e6)
STEPS = st.floats(-1e6, 1e6)


@st.composite
def changes(draw: st.DrawFn) -> list[Change]:
    ordered = sorted(draw(st.lists(st.floats(0, 1000), max_size=8, unique=True)))
    return [(ordered[n], ordered[n + 1], draw(STEPS)) for n in range(0, len(ordered) - 1, 2)]


@given(changes=changes(), since_s=st.floats(0, 1000))
def test_no_step_of_the_cloud_makes_more_time_or_takes_more_than_the_while_it_came_in(
    changes: list[Change], since_s: float
) -> None:
    found = passed_s(since_s, 1000, *changes)
    unsure_s = sum(max(0.0, seen - max(agreed, since_s)) for agreed, seen, by_s in changes if by_s < 0)
    assert 1000 - since_s - unsure_s - 1e-3 <= found <= 1000 - since_s + 1e-3
    both_s = sum(max(0.0, seen + by_s - max(agreed, since_s)) for agreed, seen, by_s in changes if by_s < 0)
    assert found <= max(0.0, 1000 - since_s - unsure_s) + both_s + 1e-3


# --- across sessions --------------------------------------------------------------------------------------------------


def across_s(since: float | None, first: tuple[float, float | None], now_s: float) -> float:
    """The same, since a moment at the start of the session before.

    Args:
        since: the cloud's seconds then.
        first: host's and cloud's seconds when the cloud's time is known in this one, which begins there.
        now_s: the host's seconds now.
    """
    timeline = Timeline()
    started(timeline, 0)
    started(timeline, first[0])
    if first[1] is not None:
        learned(timeline, first[0], 7200 + first[1] - first[0])
    return timeline.elapsed_s(moment(1, 0, since), moment(2, now_s, None).at, SCOPE)


@pytest.mark.parametrize(
    ("since", "first", "now_s", "seconds"),
    [
        pytest.param(0, (890, 890), 900, 899, id="both clocks agree"),
        pytest.param(0, (180000, 890), 180010, 899, id="the host was two days ahead"),
        pytest.param(0, (-7200, 890), -7190, 10, id="the host was set back two hours: this session only"),
        pytest.param(0, (3, 3603), 13, 13, id="the cloud was set ahead between them: by this host's clock"),
        pytest.param(0, (0, -3010), 10, 10, id="the cloud was set back between them: this session only"),
        pytest.param(None, (9000, 9000), 9010, 10, id="not known then: this session only"),
        pytest.param(0, (9000, None), 9010, 10, id="not known now: this session only"),
    ],
)
def test_across_sessions_as_much_time_has_passed_as_both_clocks_say(
    since: float | None, first: tuple[float, float | None], now_s: float, seconds: float
) -> None:
    assert across_s(since, first, now_s) == pytest.approx(seconds)


@given(before_s=SPANS, within_s=SPANS, host_step_s=STEPS, dated=st.booleans())
def test_between_sessions_no_step_of_the_host_makes_more_time(
    before_s: float, within_s: float, host_step_s: float, dated: bool
) -> None:
    began = before_s + host_step_s
    found = across_s(0, (began, before_s if dated else None), began + within_s)
    assert found == pytest.approx(within_s + max(0, min(before_s - 1, began)) * dated, abs=1e-3)


@given(before_s=SPANS, within_s=SPANS, cloud_step_s=STEPS)
def test_a_step_of_the_cloud_in_a_later_session_makes_no_more_time(
    before_s: float, within_s: float, cloud_step_s: float
) -> None:
    timeline = Timeline()
    started(timeline, 0)
    started(timeline, 0)
    learned(timeline, 0, 7200 + before_s)
    learned(timeline, within_s, 7200 + before_s + cloud_step_s, within_s)
    found = timeline.elapsed_s(moment(1, 0, 0), moment(2, within_s, None).at, SCOPE)
    assert 0 <= found <= max(0, before_s + min(0, cloud_step_s)) + within_s + 1e-3


# --- as a journal tells it --------------------------------------------------------------------------------------------


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
    learned(timeline, 90041, 7200 - 90000 - 500, 1)
    assert timeline.elapsed_s(sent, HOST + timedelta(seconds=90042), SCOPE) == pytest.approx(11)


def test_a_later_session_waits_the_whole_time_again_without_a_date() -> None:
    timeline = Timeline()
    started(timeline, 0)
    sent = timeline.moment(HOST, SCOPE)
    started(timeline, 90000)
    learned(timeline, 90010, 7200)
    assert timeline.elapsed_s(sent, HOST + timedelta(seconds=90030), SCOPE) == 30


def test_of_several_clouds_the_one_counts_by_which_the_least_has_passed() -> None:
    timeline = Timeline()
    started(timeline, 0)
    for scope, offset_s in (("a", 0.0), ("b", 50.0), ("c", 0.0)):
        timeline.learn(scope, HOST - timedelta(seconds=1), offset_s)
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
    answer = r.AnswerSeen(
        at=HOST, target=target.proxy_id, attempt=1, verdict="accepted", cloud_offset_s=7200.0, duration_ms=500
    )
    run = fold_all(plan_of([target]), [intent, answer])
    assert run.state(target.proxy_id).accepted_at == Moment(HOST, 0, CLOUD, within_s=1.5)


@pytest.mark.parametrize("counted_first", [True, False])
def test_what_was_made_before_the_clouds_time_was_known_does_not_tell_it_whichever_counts_first(
    *, counted_first: bool
) -> None:
    timeline, made = Timeline(), HOST + timedelta(seconds=5)
    started(timeline, 0)
    if counted_first:
        learned(timeline, 5, 7200.0)
    assert timeline.moment(made, SCOPE) == Moment(made, 1)
    if not counted_first:
        learned(timeline, 5, 7200.0)
    assert at(timeline, 5.001).cloud_at == CLOUD + timedelta(seconds=5.001)
