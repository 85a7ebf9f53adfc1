"""A host that stands by comes to serve, and to take the place of one that works: with clocks of the tests' own."""

from collections.abc import Callable

import pytest
from fakes.standing_by import Serves, Waits, beat, dead

from orchestrator.errors import FleetLocked, StateError
from orchestrator.tracker.postgres.database import Database
from orchestrator.tracker.postgres.lease import holding
from orchestrator.tracker.postgres.serving.group_rows import Taker, servers, take, want, wanted
from orchestrator.tracker.postgres.serving.standby import standbys
from orchestrator.tracker.postgres.serving.watched_silence import DEAD_S, LOOK_S
from orchestrator.tracker.served_groups import IDLE

MINE, ALSO, OTHERS = "host-b", "host-*", "sh-*"


@pytest.fixture
def lead(database: Database) -> int:
    return dead(database)


def leaves(database: Database) -> None:
    database.rows("update orchestrator.fleet set holder = null, token = null")


def lives(database: Database, then: dict[int, Callable[[], object]]) -> Callable[[int], None]:
    """The one that works shows itself until it leaves with the last step."""

    def step(number: int) -> None:
        beat(database)
        then.get(number, lambda: None)()
        if number == max(then):
            leaves(database)

    return step


def told(database: Database) -> dict[str, str]:
    return {each.group: each.host for each in servers(database, "prod")}


def taken(database: Database, lead: int, group: str) -> None:
    """Another host serves it, and shows itself no more."""
    (row,) = (each for each in wanted(database, "prod", lead, patience_s=0.0) if each.group == group)
    take(database, Taker("prod", "host-x", "x"), lead, row, patience_s=0.0)


def stand_by(database: Database, waits: Waits, serves: Serves) -> None:
    with pytest.raises(FleetLocked), holding(database, waits.candidate("b"), stands_by=serves):
        pass


def test_it_serves_what_is_free_and_its_host_may_serve_until_the_one_that_works_leaves(
    database: Database, lead: int
) -> None:
    want(database, "prod", lead, [MINE, OTHERS])
    shown: list[object] = []
    waits = Waits(
        lives(database, {3: lambda: shown.extend([told(database), standbys(database, "prod")[0][::2]]), 5: int})
    )
    serves = Serves(waits)
    stand_by(database, waits, serves)
    assert serves.served == [(MINE,)]
    assert serves.why == ["the session of the host that works has come to its end"]
    assert shown == [{MINE: "host-b"}, ("host-b", (MINE,))]
    assert (told(database), standbys(database, "prod")) == ({}, [])


def test_who_serves_nothing_takes_nothing(database: Database, lead: int) -> None:
    want(database, "prod", lead, [MINE])
    waits = Waits(lives(database, {3: lambda: None}))
    with pytest.raises(FleetLocked), holding(database, waits.candidate("b"), stands_by=IDLE):
        pass
    assert [row.epoch for row in wanted(database, "prod", lead, patience_s=0.0)] == [0]


def test_it_takes_no_group_that_it_would_not_serve(database: Database, lead: int) -> None:
    want(database, "prod", lead, [MINE, ALSO])
    waits = Waits(lives(database, {3: lambda: None}))
    serves = Serves(waits, but=ALSO)
    stand_by(database, waits, serves)
    assert serves.served == [(MINE,)]


def test_one_that_works_and_dies_is_replaced_by_its_server_without_another_wait(database: Database, lead: int) -> None:
    want(database, "prod", lead, [MINE])
    waits = Waits()
    serves = Serves(waits)
    with holding(database, waits.candidate("b"), stands_by=serves) as epoch:
        assert epoch == lead + 1
    assert serves.why == ["the host that works has been silent for 10 s"]
    assert DEAD_S <= waits.now_s <= DEAD_S + 2 * LOOK_S


def test_a_server_that_dies_is_replaced_after_a_silence_that_was_watched(database: Database, lead: int) -> None:
    want(database, "prod", lead, [MINE])
    taken(database, lead, MINE)
    ends = round(DEAD_S / LOOK_S) + 4
    waits = Waits(lives(database, {ends: lambda: None}))
    serves = Serves(waits)
    stand_by(database, waits, serves)
    assert serves.served == [(MINE,)]
    assert serves.posts[0].epochs == {MINE: 2}


def test_a_server_that_shows_itself_or_was_not_watched_is_not_replaced(database: Database, lead: int) -> None:
    want(database, "prod", lead, [MINE])
    taken(database, lead, MINE)

    def away() -> None:
        waits.now_s += 3600

    steps = round(DEAD_S / LOOK_S)
    shows = lambda: database.rows("update orchestrator.serving set at = clock_timestamp()")  # noqa: E731
    waits = Waits(lives(database, {steps - 2: shows, 2 * steps - 6: away, 3 * steps - 10: lambda: None}))
    serves = Serves(waits)
    stand_by(database, waits, serves)
    assert serves.served == []


def test_one_that_works_and_a_server_die_together_and_both_are_replaced_in_one_go(
    database: Database, lead: int
) -> None:
    want(database, "prod", lead, [MINE, "host-x"])
    taken(database, lead, "host-x")
    waits = Waits()
    serves = Serves(waits)
    with holding(database, waits.candidate("b"), stands_by=serves) as epoch:
        want(database, "prod", epoch, ["host-x"])
        (free,) = wanted(database, "prod", epoch, patience_s=0.0)
        assert free.token is None
    assert waits.now_s <= DEAD_S + 2 * LOOK_S


def test_a_further_group_that_has_become_free_is_served_with_all(database: Database, lead: int) -> None:
    want(database, "prod", lead, [MINE])
    waits = Waits(lives(database, {3: lambda: want(database, "prod", lead, [MINE, ALSO]), 9: lambda: None}))
    serves = Serves(waits)
    stand_by(database, waits, serves)
    assert serves.served == [(MINE,), (ALSO, MINE)]
    assert serves.posts[0].epochs[MINE] == serves.posts[1].epochs[MINE]
    assert serves.why[0] == f"{ALSO}: to be served here too"


def takes_also(database: Database) -> None:
    """Another host takes it, as after a silence of ours."""
    takes = "update orchestrator.serving set epoch = epoch + 1, host = 'host-x', token = 'x', at = clock_timestamp()"
    database.rows(takes + " where grp = %(group)s", group=ALSO)


def test_a_group_that_another_host_has_taken_ends_the_post_and_the_rest_is_served_on(
    database: Database, lead: int
) -> None:
    want(database, "prod", lead, [MINE, ALSO])
    waits = Waits(lives(database, {3: lambda: takes_also(database), 9: lambda: None}))
    serves = Serves(waits)
    stand_by(database, waits, serves)
    assert serves.served == [(ALSO, MINE), (MINE,)]
    assert serves.why[0] == f"{ALSO}: served by another host by now, or by none"


def test_one_that_the_log_tells_first_that_a_group_was_taken_serves_the_rest_on(database: Database, lead: int) -> None:
    want(database, "prod", lead, [MINE, ALSO])
    waits = Waits(lives(database, {3: lambda: takes_also(database), 7: lambda: None}))
    serves = Serves(waits, ends_after=3, looks=False)
    stand_by(database, waits, serves)
    assert serves.served == [(ALSO, MINE), (MINE,)]
    assert serves.why == [None, None]


def test_another_that_works_is_served_anew_when_it_asks_for_it(database: Database, lead: int) -> None:
    want(database, "prod", lead, [MINE])

    def another() -> None:
        database.rows("update orchestrator.fleet set epoch = epoch + 1, holder = 'the next', token = 'n'")

    then: dict[int, Callable[[], object]] = {
        3: another,
        6: lambda: want(database, "prod", lead + 1, [MINE]),
        9: lambda: None,
    }
    waits = Waits(lives(database, then))
    serves = Serves(waits)
    stand_by(database, waits, serves)
    assert [post.lead for post in serves.posts] == [lead, lead + 1]
    assert serves.why[0] == "another host works on this fleet now"


def test_whose_session_has_ended_by_itself_leaves_and_serves_this_one_no_more(database: Database, lead: int) -> None:
    want(database, "prod", lead, [MINE])
    after: list[dict[str, str]] = []
    waits = Waits(lives(database, {6: lambda: after.append(told(database)), 7: lambda: None}))
    serves = Serves(waits, ends_after=2)
    stand_by(database, waits, serves)
    assert (serves.why, after) == ([None], [{}])


def test_who_is_told_to_stop_while_he_serves_leaves_his_groups(database: Database, lead: int) -> None:
    want(database, "prod", lead, [MINE])

    def stops(step: int) -> None:
        if step == 2:
            raise KeyboardInterrupt

    waits = Waits(stops)
    with pytest.raises(KeyboardInterrupt), holding(database, waits.candidate("b"), stands_by=Serves(waits)):
        pass
    assert [row.token for row in wanted(database, "prod", lead, patience_s=0.0)] == [None]
    assert standbys(database, "prod") == []


def test_a_host_that_is_not_fit_takes_no_group(database: Database, lead: int) -> None:
    want(database, "prod", lead, [MINE])
    waits = Waits(lives(database, {5: lambda: None}))
    asked: list[int] = []

    def expect_fit() -> None:
        asked.append(waits.step)
        if len(asked) > 1:
            raise StateError("the clock of this host")

    candidate = waits.candidate("b")._replace(expect_fit=expect_fit)
    with pytest.raises(StateError, match="clock"), holding(database, candidate, stands_by=Serves(waits)):
        pass
    assert told(database) == {}


def test_tables_of_before_there_were_servers_serve_as_well(database: Database, lead: int) -> None:
    database.rows("drop table orchestrator.serving")
    waits = Waits()
    serves = Serves(waits)
    with holding(database, waits.candidate("b"), stands_by=serves) as epoch:
        assert (epoch, serves.served) == (lead + 1, [])


def test_a_time_in_which_nobody_looked_is_no_silence_of_the_one_that_works(database: Database, lead: int) -> None:
    """As while the database was away, or this process stood still."""
    want(database, "prod", lead, [MINE])

    def goes_on(step: int) -> None:
        if step == 10:
            waits.now_s += 3600
        elif step == 25:
            leaves(database)

    waits = Waits(goes_on)
    serves = Serves(waits)
    stand_by(database, waits, serves)
    assert serves.why == ["the session of the host that works has come to its end"]
