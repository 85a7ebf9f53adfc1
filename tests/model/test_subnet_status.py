"""What readings of a subnet say together: how many addresses upgrades of ours may have at once."""

from datetime import UTC, datetime

from orchestrator.model.record.capacity import SubnetRead, SubnetStatus, subnet_status
from orchestrator.model.record.moment import Moment

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def after(*readings: tuple[int, dict[str, int], set[str]]) -> SubnetStatus:
    """Where a subnet stands after readings: what was free, what was open with its needs, and which was young."""
    status = SubnetStatus()
    for free, needs, young in readings:
        record = SubnetRead(at=NOW, scope="a", subnet_id="s", free=free)
        status = subnet_status(status, record, needs=needs, young=young, now=Moment(NOW, 1))
    return status


def borne(status: SubnetStatus, needs: dict[str, int]) -> int:
    assert status.free is not None
    return min(status.free + sum(needs.values()), status.bears)


def test_a_quiet_subnet_bears_what_is_free() -> None:
    assert borne(after((6, {}, set())), {}) == 6


def test_what_may_have_been_taken_late_is_not_counted_twice() -> None:
    needs = {"p": 2, "q": 2}
    assert borne(after((6, {}, set()), (6, needs, {"p", "q"})), needs) == 6


def test_what_surely_has_its_addresses_counts_beside_what_is_free() -> None:
    needs = {"p": 2, "q": 2}
    assert borne(after((2, {}, set()), (6, needs, set())), needs) == 10


def test_what_others_take_binds_at_once_and_no_longer_than_they_have_it() -> None:
    needs = {"p": 2}
    assert borne(after((6, {}, set()), (1, needs, {"p"})), needs) == 3
    assert borne(after((6, {}, set()), (1, needs, {"p"}), (4, needs, {"p"})), needs) == 6


def test_a_reading_that_failed_changes_nothing() -> None:
    before = after((6, {}, set()))
    failed = SubnetRead(at=NOW, scope="a", subnet_id="s", why="HTTP 503")
    assert subnet_status(before, failed, needs={"p": 2}, young=set(), now=Moment(NOW, 1)) == before
