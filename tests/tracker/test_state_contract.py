"""What every store behind the port `State` keeps: the folder of files, its twin in memory, and a database."""

from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from fakes.databases import state_in
from fakes.memory_state import MemoryState
from fakes.recorded import BEGIN, NEW, OLD, RUN_ID, make_plan, make_targets, run_started
from msgspec.structs import replace

from orchestrator.errors import FleetLocked, JournalDamaged, PlanError, StateError, UsageError
from orchestrator.model.learned.elsewhere import Elsewhere
from orchestrator.model.learned.known_rate import KnownRate
from orchestrator.model.learned.told_elsewhere import ToldElsewhere
from orchestrator.model.plan.commands import Command, HoldCommand, ReleaseCommand
from orchestrator.model.plan.plan import Limits
from orchestrator.model.plan.settings import settings_of
from orchestrator.model.plan.target import Target
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import Record
from orchestrator.model.reply.reply import Entry
from orchestrator.tracker.folder.state_folder import FolderState
from orchestrator.tracker.postgres.serving.served_post import ServedPost
from orchestrator.tracker.runs.earlier import runs_that_settled
from orchestrator.tracker.runs.other_runs import last_outcomes, open_elsewhere
from orchestrator.tracker.runs.past_runs import read_history
from orchestrator.tracker.runs.recovery import latest_run, recover
from orchestrator.tracker.runs.run_id import new_run_id
from orchestrator.tracker.runs.workflow_owner import told_of
from orchestrator.tracker.served_groups import IDLE
from orchestrator.tracker.state_store import Fleet, State, StoredRun

TARGETS = make_targets(3)
PLAN = make_plan(TARGETS)
A, B, C = (target.proxy_id for target in TARGETS)
LATER = "20260302T220000000Z-abcdef"
HOLD = HoldCommand(at=BEGIN, user="ann", note="wait")
RELEASE = ReleaseCommand(at=BEGIN, user="bob", note="go", wave="rest")
ENDED = r.RunEnded(at=BEGIN)

STORES: dict[str, Callable[[Path], State]] = {
    "folder": lambda path: FolderState(path / "state"),
    "memory": lambda _path: MemoryState(),
}


@pytest.fixture(params=[*STORES, "database"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[State]:
    if request.param == "database":
        kept = state_in(request.getfixturevalue("postgres").new_database(), tmp_path / "reports")
        with closing(kept.seat.database):
            yield kept
    else:
        yield STORES[request.param](tmp_path)


@pytest.fixture
def fleet(state: State) -> Fleet:
    return state.fleet("prod", writes=True)


def begun(fleet: Fleet, *records: Record, run_id: str = RUN_ID) -> StoredRun:
    run = fleet.begin(PLAN, TARGETS, run_started(3, run_id=run_id))
    added(run, *records)
    return run


def added(run: StoredRun, *records: Record, next_seq: int = 2) -> None:
    if records:
        with closing(run.resume(next_seq)) as journal:
            journal.append(records)


def intent(key: str) -> r.Intent:
    return r.Intent(at=BEGIN, target=key, attempt=1, wave="rest", token="t", source_version=OLD, target_version=NEW)


def answer(key: str, *workflows: str, strays: tuple[str, ...] = ()) -> r.AnswerSeen:
    entries = tuple(Entry(workflow_id=each, state="ACCEPT") for each in workflows)
    return r.AnswerSeen(at=BEGIN, target=key, attempt=1, verdict="accepted", update_result=entries, strays=strays)


def settled(key: str, outcome: Outcome) -> r.Settled:
    return r.Settled(at=BEGIN, target=key, attempt=1, outcome=outcome, wave="rest")


# --- runs ------------------------------------------------------------------------------------------------------------


def test_a_new_run_holds_what_it_was_made_of(fleet: Fleet) -> None:
    run = begun(fleet)
    assert (run.run_id, run.fleet.name, run.fleet.state.fleet("prod").name) == (RUN_ID, "prod", "prod")
    assert run.plan() == PLAN
    assert list(run.targets()) == TARGETS
    assert run.targets_among({C, A, "another"}) == ([TARGETS[0], TARGETS[2]], 3)
    assert run.settings() == settings_of(PLAN)
    assert list(run.records()) == [(1, run_started(3))]
    assert not run.has_ended()


def test_runs_are_found_again_oldest_first(state: State, fleet: Fleet) -> None:
    assert fleet.runs() == []
    assert latest_run(fleet) is None
    begun(fleet, run_id=LATER)
    begun(fleet)
    assert [run.run_id for run in state.fleet("prod").runs()] == [RUN_ID, LATER]
    assert [each.name for each in state.fleets()] == ["prod"]


def test_a_run_whose_targets_cannot_be_read_to_their_end_is_not_made(fleet: Fleet) -> None:
    def breaking() -> Iterator[Target]:
        yield TARGETS[0]
        raise RuntimeError("the list ends here")

    with pytest.raises(RuntimeError, match="the list ends here"):
        fleet.begin(PLAN, breaking(), run_started(3))
    assert fleet.runs() == []


def test_a_new_run_sorts_after_all_others_whatever_the_clock_says(fleet: Fleet) -> None:
    begun(fleet, run_id=LATER)
    assert new_run_id(fleet, BEGIN, "abc") > LATER


def test_settings_of_a_session_replace_those_before(fleet: Fleet) -> None:
    run, now = begun(fleet), settings_of(replace(PLAN, limits=Limits(concurrency=77)))
    run.save_settings(now)
    assert run.settings() == now
    assert run.plan() == PLAN
    assert recover(run).in_force.limits.concurrency == 77


# --- records ---------------------------------------------------------------------------------------------------------


def test_records_come_back_in_order_all_or_from_a_number_on(fleet: Fleet) -> None:
    run = begun(fleet, intent(A), answer(A, "w1"))
    added(run, settled(A, Outcome.SUCCEEDED), next_seq=4)
    expected = [(1, run_started(3)), (2, intent(A)), (3, answer(A, "w1")), (4, settled(A, Outcome.SUCCEEDED))]
    assert list(run.records()) == expected
    assert list(run.records(after=2)) == expected[2:]
    assert list(run.records(after=4)) == []


def test_outcomes_are_the_start_and_what_settles(fleet: Fleet) -> None:
    bad = r.Reverified(at=BEGIN, target=A, healthy=False, finding="node ABNORMAL")
    session = r.SessionStarted(at=BEGIN, number=1, pid=1, host="h", orchestrator_version="1", user="ann")
    claimed = r.FleetClaimed(at=BEGIN, step="command", before="/a", after="/b", by="ann", since=BEGIN, command=1)
    kept = r.OutcomeKept(at=BEGIN, target=B, outcome=Outcome.ALREADY, position=0, entry=msgspec.Raw(b"{}"))
    run = begun(fleet, kept, session, intent(A), claimed, settled(A, Outcome.SUCCEEDED), bad)
    assert list(run.outcomes()) == [run_started(3), kept, session, claimed, settled(A, Outcome.SUCCEEDED), bad]


def test_a_run_says_that_it_has_ended(fleet: Fleet) -> None:
    run = begun(fleet, settled(A, Outcome.SUCCEEDED), ENDED)
    assert run.has_ended()


def test_who_has_not_read_the_last_record_may_add_none(fleet: Fleet) -> None:
    run = begun(fleet, intent(A))
    with pytest.raises(JournalDamaged):
        run.resume(2)
    assert len(list(run.records())) == 2


def test_who_adds_notices_that_somebody_else_has(fleet: Fleet) -> None:
    """Where hosts share the place, others may add, and are heard."""
    run = begun(fleet)
    with closing(run.resume(2)) as first, closing(run.resume(2)) as second:
        first.append([intent(A)])
        first.expect_whole()
        with pytest.raises(StateError) if fleet.state.host is None else nullcontext():
            second.expect_whole()
        assert [*second.news()] == ([] if fleet.state.host is None else [intent(A)])


def test_who_has_taken_nothing_serves_nothing(fleet: Fleet) -> None:
    run = begun(fleet)
    with fleet.lock(BEGIN, stands_by=IDLE):
        fleet.want_served(["bj-*"])
        assert not fleet.servers()
    with pytest.raises(StateError):
        run.join(2, ServedPost(9, {"bj-*": 9})).append([intent(A)])
    assert len(list(run.records())) == 1


def test_a_record_that_does_not_fit_is_damage_with_its_place(fleet: Fleet) -> None:
    run = begun(fleet, r.DoubtLooked(at=BEGIN, target="nobody", finding=""))
    with pytest.raises(JournalDamaged, match=":2: the record does not fit"):
        recover(run)


# --- the fleet -------------------------------------------------------------------------------------------------------


def test_one_process_works_on_a_fleet_and_the_others_can_ask_who_does(state: State, fleet: Fleet) -> None:
    assert fleet.holder() is None
    with fleet.lock(BEGIN):
        assert state.fleet("prod").holder() is not None
        with pytest.raises(FleetLocked, match="prod"), fleet.lock(BEGIN):
            pass
    assert fleet.holder() is None


def test_a_name_belongs_to_one_plan_file_until_it_is_handed_over(fleet: Fleet, tmp_path: Path) -> None:
    mine, other = tmp_path / "mine.yaml", tmp_path / "other.yaml"
    mine.touch()
    other.touch()
    assert not fleet.exists()
    with pytest.raises(UsageError, match="there is no fleet prod"):
        fleet.hand_over(mine, other)
    fleet.claim(mine)
    assert fleet.exists()
    fleet.expect_owner(mine)
    for use in (fleet.claim, fleet.expect_owner):
        with pytest.raises(PlanError, match="belongs to"):
            use(other)
    with pytest.raises(UsageError, match="not to"):
        fleet.hand_over(tmp_path / "third.yaml", other)
    fleet.hand_over(mine, other)
    fleet.expect_owner(other)


@pytest.mark.parametrize("name", ["", "..", "a/b", "simulated"])
def test_a_name_that_no_fleet_can_have_is_refused(state: State, name: str) -> None:
    with pytest.raises(PlanError, match="cannot name a fleet"):
        state.fleet(name)


def test_commands_arrive_once_in_order_and_after_a_number(fleet: Fleet) -> None:
    inbox = fleet.inbox()
    assert inbox.new() == []
    numbers = [fleet.give(each) for each in commands()]
    assert numbers == [1, 2]
    assert inbox.new() == [(1, HOLD), (2, RELEASE)]
    assert inbox.new() == []
    assert fleet.give(HOLD) == 3
    assert inbox.new() == [(3, HOLD)]
    assert fleet.inbox().new(after=1) == [(2, RELEASE), (3, HOLD)]


def commands() -> tuple[Command, ...]:
    return (HOLD, RELEASE)


# --- what others know ------------------------------------------------------------------------------------------------


def test_every_workflow_is_known_also_what_others_learn_later(state: State, fleet: Fleet) -> None:
    workflows = state.workflows()
    assert workflows.known() == frozenset()
    run = begun(fleet, intent(A), answer(A, "w1", "w2", strays=("w2",)))
    begun(state.fleet("other", writes=True), intent(B), answer(B, "w3"))
    assert workflows.known() == {"w1", "w3"}
    added(run, r.WorkflowAdopted(at=BEGIN, target=C, workflow_id="w4", evidence="the only one"), next_seq=4)
    assert workflows.known() == {"w1", "w3", "w4"}


def test_it_is_told_whose_a_workflow_is_and_when_that_was(state: State, fleet: Fleet) -> None:
    workflows, ahead = state.workflows(), timedelta(seconds=100)
    sent = replace(intent(A), clocks=r.Clocks(monotonic_s=0.0, cloud_at=BEGIN + ahead))
    seen = replace(answer(A, "W1", "w2", strays=("w2",)), at=BEGIN + timedelta(seconds=2), cloud_offset_s=101.0)
    begun(fleet, intent(B), sent, seen)
    begun(
        state.fleet("other", writes=True),
        intent(C),
        r.WorkflowAdopted(at=BEGIN + ahead, target=C, workflow_id="w4", evidence="the only one"),
    )
    assert workflows.known() == {"w1", "w4"}
    assert told_of(state, workflows, "w1") == ToldElsewhere(
        fleet="prod",
        run_id=RUN_ID,
        proxy_id=A,
        instance_id=TARGETS[0].instance_id,
        sent=BEGIN + ahead,
        told=BEGIN + timedelta(seconds=103),
    )
    adopted = told_of(state, workflows, "w4")
    assert adopted is not None
    assert (adopted.fleet, adopted.sent, adopted.told) == ("other", BEGIN, BEGIN + ahead)
    assert told_of(state, workflows, "w2") is None


def test_one_fleet_at_a_time_begins_a_run(state: State, fleet: Fleet) -> None:
    begun(fleet)
    with (
        state.one_begins(),
        pytest.raises(StateError, match=r"another fleet has been beginning a run for 0\.05 s"),
        state.one_begins(patience_s=0.05),
    ):
        pass
    with state.one_begins():
        pass


def test_what_is_open_in_another_fleet_is_named(state: State, fleet: Fleet) -> None:
    other = state.fleet("other", writes=True)
    begun(other, intent(A), intent(B), settled(B, Outcome.SUCCEEDED))
    assert open_elsewhere(fleet, {A, B, C}) == {A: Elsewhere("other", RUN_ID, is_open=True)}
    assert open_elsewhere(other, {A, B, C}) == {}
    with other.lock(BEGIN):
        assert open_elsewhere(fleet, {B, C}) == {C: Elsewhere("other", RUN_ID, is_open=False)}


def test_what_earlier_runs_say_of_a_proxy(fleet: Fleet) -> None:
    assert read_history(fleet) is None
    begun(fleet, intent(A), answer(A, "w1"), settled(A, Outcome.FAILED), settled(B, Outcome.SUCCEEDED), ENDED)
    begun(fleet, settled(A, Outcome.NOT_STARTED), ENDED, run_id=LATER)
    assert last_outcomes(fleet) == {A: (Outcome.FAILED, NEW), B: (Outcome.SUCCEEDED, NEW)}
    assert [(run_id, each.key) for run_id, each in runs_that_settled(fleet, {A, C})] == [(RUN_ID, A)]
    history = read_history(fleet)
    assert history is not None
    assert history.run_id == LATER
    assert set(history.known) == {A, B}


def test_a_host_has_a_name_where_others_share_the_place(state: State) -> None:
    assert state.host is None or isinstance(state.host, str)


def test_a_command_can_name_the_place(state: State, tmp_path: Path) -> None:
    assert all(isinstance(word, str) for word in state.options(tmp_path / "plan.yaml"))


def test_rates_are_kept_by_key(state: State) -> None:
    first, better = (KnownRate(endpoint="https://x", rate=rate, at=BEGIN) for rate in (3.0, 9.0))
    assert state.rates() == ({}, None)
    state.add_rates({"a": first, "b": first})
    state.add_rates({"b": better})
    assert state.rates() == ({"a": first, "b": better}, None)


def test_a_trial_of_writing_leaves_nothing_behind(state: State, tmp_path: Path) -> None:
    seconds = iter([1.0, 1.25])
    trial = state.try_write(lambda: next(seconds))
    assert trial.seconds == 0.25
    assert trial.free_bytes is None or trial.free_bytes > 0
    assert list(tmp_path.iterdir()) == []


def test_what_is_kept_of_notifications_is_replaced_as_a_whole(fleet: Fleet) -> None:
    begun(fleet)
    assert fleet.notices() is None
    for content in (b"first", b"second"):
        fleet.keep_notices(content)
    assert fleet.state.fleet("prod").notices() == b"second"
