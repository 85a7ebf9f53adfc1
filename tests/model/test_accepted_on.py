"""When workflows were accepted is kept in few bytes, and told as it was."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.learned.accepted_on import AcceptedOn
from orchestrator.model.record.moment import Moment

INSTANCE, OTHER = "1" * 32 + "in07", "2" * 32 + "in07"
AT = Moment(datetime(2026, 3, 1, 22, tzinfo=UTC), 1)
TIMES = st.datetimes(timezones=st.just(UTC))
MOMENTS = st.builds(Moment, TIMES, st.integers(0, 1 << 20), st.none() | TIMES, st.floats(allow_nan=False))


@given(st.dictionaries(st.text(), MOMENTS, max_size=4))
def test_moments_are_told_as_they_were(told: dict[str, Moment]) -> None:
    accepted = AcceptedOn()
    for workflow, since in told.items():
        accepted.add(INSTANCE, workflow, since)
    assert accepted.of(INSTANCE) == told
    again = AcceptedOn()
    again.update(dict(accepted.items()))
    assert again == accepted


def test_one_that_was_accepted_again_counts_from_then_on() -> None:
    accepted, later = AcceptedOn(), Moment(AT.at + timedelta(hours=1), 2)
    for since in (AT, later):
        accepted.add(INSTANCE, "w1", since)
    assert accepted.of(INSTANCE) == {"w1": later}


def test_one_that_is_not_ours_is_gone_and_the_others_are_there() -> None:
    accepted = AcceptedOn()
    for workflow in ("w1", "w2"):
        accepted.add(INSTANCE, workflow, AT)
    accepted.drop(INSTANCE, "w1")
    accepted.drop(OTHER, "w1")
    assert (accepted.of(INSTANCE), accepted.of(OTHER), len(accepted)) == ({"w2": AT}, {}, 1)
