"""Between two runs: what a new one takes over, and what keeps it from beginning."""

from contextlib import closing
from datetime import timedelta
from typing import Any

import anyio
import pytest
from fakes.memory_state import MemoryState
from fakes.recorded import BEGIN, NEW, OLD, make_plan, make_targets, run_started
from msgspec.structs import replace

from orchestrator.app.process.open_files import FileRoom
from orchestrator.app.run.begin_or_resume import Beginning, begin_run, end_run, unfinished_run
from orchestrator.app.scopes.rate_memory import RateMemory
from orchestrator.app.session.run_session import _assemble
from orchestrator.app.session.session_parts import clock_of
from orchestrator.app.session.session_work import Work
from orchestrator.clock import SystemClock
from orchestrator.cloud.secrets.secret import Secret
from orchestrator.errors import FleetHeld, PlanError
from orchestrator.executor.decide.actions import Ending, Finish
from orchestrator.executor.decide.exit_code import exit_code
from orchestrator.executor.session import NobodyAsks
from orchestrator.model.plan.commands import HoldCommand, ReleaseCommand
from orchestrator.model.plan.limit_change import LimitChange
from orchestrator.model.plan.plan import Scope
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import Record
from orchestrator.model.reply.reply import Entry
from orchestrator.tracker.report.build import build_report
from orchestrator.tracker.runs.recovery import Recovered, recover
from orchestrator.tracker.state_store import State

TARGETS = make_targets(3)
PLAN = make_plan(TARGETS)
KEY = TARGETS[0].proxy_id
INTENT = r.Intent(at=BEGIN, target=KEY, attempt=1, wave="rest", token="t", source_version=OLD, target_version=NEW)
REJECT = r.AnswerSeen(
    at=BEGIN,
    target=KEY,
    attempt=1,
    verdict="rejected",
    update_result=(Entry(workflow_id="w0", state="REJECT", error_message="no ip"),),
)
ENDED = r.RunEnded(at=BEGIN)


@pytest.fixture
def state() -> State:
    return MemoryState()


def before(state: State, fleet: str, *records: Record) -> None:
    """A run of a fleet with these records."""
    with closing(state.fleet(fleet).begin(PLAN, TARGETS, run_started(3)).resume(2)) as journal:
        journal.append(list(records) or [ENDED])


def begin(state: State, fleet: str = "prod", **changes: Any) -> Recovered:
    values = {"fleet": state.fleet(fleet), "now": BEGIN + timedelta(days=1), "suffix": "abc", **changes}
    return begin_run(PLAN, TARGETS, Beginning(**values))


def settled(outcome: Outcome) -> r.Settled:
    return r.Settled(at=BEGIN, target=KEY, attempt=1, outcome=outcome, wave="rest", reason="no ip")


def test_a_proxy_that_is_open_in_another_fleet_keeps_a_run_from_beginning(state: State) -> None:
    before(state, "other", INTENT)
    with pytest.raises(PlanError, match=f"proxy {KEY} is open in run .* of fleet other"):
        begin(state)
    assert unfinished_run(state.fleet("prod")) is None


def test_commands_that_an_earlier_run_has_obeyed_are_not_obeyed_again(state: State) -> None:
    before(state, "prod", r.CommandIgnored(at=BEGIN, command=7, why="late"), ENDED)
    assert begin(state).run.commands_seen == 7


HELD = r.HoldSet(at=BEGIN, step="hold", cause="person", reason="wait", by="ann", host="desk", note="wait")


def test_a_hold_survives_the_run_that_set_it(state: State) -> None:
    before(state, "prod", HELD, replace(ENDED, why="superseded"))
    carried = begin(state).run.hold
    assert carried is not None
    assert (carried.cause, carried.reason, carried.who) == ("person", "wait", "ann@desk")
    assert carried.began_at == BEGIN


def test_changed_limits_survive_the_run_with_the_instant_at_which_they_were_asked_for(state: State) -> None:
    asked = BEGIN - timedelta(hours=1)
    change = r.LimitsChanged(
        at=BEGIN, limits=LimitChange(rate=2.0), by="ann", host="desk", note="busy", command=1, since=asked
    )
    before(state, "prod", change, ENDED)
    run = begin(state).run
    assert run.limits is not None
    assert (str(run.limits.limits), run.limits.who, run.limits.note) == ("rate=2/s", "ann@desk", "busy")
    assert run.limits.began_at == asked
    assert run.acts == [], "nobody changed them in this run"


def test_of_a_held_fleet_no_empty_run_begins(state: State) -> None:
    before(state, "prod", HELD, ENDED)
    with pytest.raises(FleetHeld, match=r"held since .* by ann@desk: wait; no run begins") as told:
        begin(state)
    assert "orchestrator release" in (told.value.hint or "")
    assert len(state.fleet("prod").runs()) == 1
    state.fleet("prod", writes=True).give(ReleaseCommand(at=BEGIN, user="ann", note="go"))
    assert begin(state).run.commands_seen == 0, "the new run has yet to carry the release out"


def test_a_hold_that_nobody_has_read_keeps_a_run_from_beginning_too(state: State) -> None:
    before(state, "prod", ENDED)
    state.fleet("prod", writes=True).give(HoldCommand(at=BEGIN, user="kim", host="desk", note="incident"))
    with pytest.raises(FleetHeld, match="by kim@desk: incident"):
        begin(state)


def replace_now(taken: Beginning) -> Beginning:
    """The same three days later."""
    return replace(taken, now=BEGIN + timedelta(days=3), suffix="abd")


def test_attempts_of_an_earlier_run_count_in_the_same_window(state: State) -> None:
    before(state, "prod", INTENT, settled(Outcome.FAILED), ENDED)
    spread = replace(PLAN, limits=replace(PLAN.limits, per_window=5))

    assert not begin(state).run.sent_at
    before(state, "other", replace(INTENT, ahead_s=60.0), settled(Outcome.FAILED), ENDED)
    taken = Beginning(fleet=state.fleet("other"), now=BEGIN + timedelta(days=1), suffix="abc")
    assert list(begin_run(spread, TARGETS, taken).run.sent_at) == [(BEGIN + timedelta(seconds=60)).timestamp()]
    assert not begin_run(spread, TARGETS, replace_now(taken)).run.sent_at


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.MISMATCH, Outcome.REJECTED])
def test_what_failed_before_is_left_out_and_what_was_refused_then_is_known(state: State, outcome: Outcome) -> None:
    before(state, "prod", INTENT, REJECT, settled(outcome), ENDED)
    run = begin(state).run
    assert (run.states[KEY].outcome, run.states[KEY].reason) == (Outcome.SKIPPED, "failed_before")
    assert run.known_rejects == {"no ip"}


def test_while_something_is_open_a_run_cannot_be_ended_for_a_new_one(state: State) -> None:
    before(state, "prod", INTENT)
    unfinished = unfinished_run(state.fleet("prod"))
    assert unfinished is not None
    with pytest.raises(PlanError, match="still open"):
        end_run(unfinished, BEGIN)
    after = unfinished_run(state.fleet("prod"))
    assert after is not None
    assert after.next_seq == unfinished.next_seq


def test_a_run_that_is_ended_for_a_new_one_says_what_never_started(state: State) -> None:
    before(state, "prod", INTENT, REJECT, settled(Outcome.REJECTED))
    unfinished = unfinished_run(state.fleet("prod"))
    assert unfinished is not None
    end_run(unfinished, BEGIN)
    assert unfinished_run(state.fleet("prod")) is None
    standings = [unfinished.run.standing(target.proxy_id) for target in TARGETS]
    assert standings == ["rejected", "not_started", "not_started"]


def test_what_was_not_started_is_news_once_where_a_run_is_ended_to_begin_with_others(state: State) -> None:
    before(state, "prod", INTENT, REJECT, settled(Outcome.REJECTED))
    unfinished = unfinished_run(state.fleet("prod"))
    assert unfinished is not None
    end_run(unfinished, BEGIN)
    rejected = frozenset({Outcome.REJECTED})
    first = begin(state, only=rejected)
    assert [kept.news for kept in first.run.kept] == [True, True]
    with closing(first.stored.resume(first.next_seq)) as journal:
        journal.append([settled(Outcome.REJECTED), ENDED])
    over = recover(first.stored).run
    assert exit_code(over, Finish(Ending.COMPLETED, "every target is settled")) == 1
    later = begin(state, only=rejected, now=BEGIN + timedelta(days=2), suffix="abe")
    assert [kept.news for kept in later.run.kept] == [False, False], "the run before has told it"


def test_a_redo_counts_a_proxy_of_the_plan_that_no_run_has_come_to(state: State) -> None:
    before(state, "prod", INTENT, REJECT, settled(Outcome.REJECTED), ENDED)
    rejected = frozenset({Outcome.REJECTED})
    first = begin(state, only=rejected)
    report = build_report(first.run, PLAN)
    assert report.head.totals.targets == 3
    others = [(entry.outcome, entry.reason) for entry in report.targets if entry.proxy_id != KEY]
    assert others == [("not_started", "not_asked")] * 2
    assert [kept.news for kept in first.run.kept] == [True, True]
    with closing(first.stored.resume(first.next_seq)) as journal:
        journal.append([settled(Outcome.REJECTED), ENDED])
    later = begin(state, only=rejected, now=BEGIN + timedelta(days=2), suffix="abe")
    assert [kept.news for kept in later.run.kept] == [False, False], "the run before has told it"
    with closing(later.stored.resume(later.next_seq)) as journal:
        journal.append([settled(Outcome.REJECTED), ENDED])
    whole = begin(state, now=BEGIN + timedelta(days=3), suffix="abf")
    assert whole.run.standing(TARGETS[1].proxy_id) == "waiting", "a run of the whole plan takes them"


def test_a_redo_after_a_rehearsal_that_did_not_end_counts_the_whole_plan(state: State) -> None:
    before(state, "prod", INTENT, REJECT, settled(Outcome.REJECTED))
    redo = begin(state, only=frozenset({Outcome.REJECTED}), simulated=True)
    report = build_report(redo.run, PLAN)
    assert [entry.proxy_id for entry in report.targets] == [target.proxy_id for target in TARGETS], "in plan order"
    assert report.head.totals.outcomes == {"waiting": 1, "not_started": 2}
    assert [entry.reason for entry in report.targets][1:] == ["superseded", "superseded"]


def test_what_is_found_again_as_it_was_names_the_run_that_found_it_first(state: State) -> None:
    found = replace(settled(Outcome.SKIPPED), attempt=0, reason="not_upgradable")
    before(state, "prod", found, ENDED)
    ids = []
    for night in (2, 3, 4):
        run = begin(state, now=BEGIN + timedelta(days=night), suffix=f"ab{night}")
        ids.append(run.run.earlier[KEY].run_id)
        with closing(run.stored.resume(run.next_seq)) as journal:
            journal.append([found, ENDED])
    assert ids == [state.fleet("prod").runs()[0].run_id] * 3


def work_in(state: State) -> Work:
    return Work(
        room=FileRoom(20, 10),
        plan=PLAN,
        recovered=begin(state),
        environ={},
        until=None,
        wait_s=0.0,
        memory=RateMemory(environ={}),
    )


def test_the_ledger_of_a_session_hides_what_the_session_learns(state: State) -> None:
    written: list[Record] = []
    work = work_in(state)

    class Kept:
        def append_nowait(self, record: Record) -> Any:
            written.append(record)

    ledger = anyio.run(_assemble, work, {}, NobodyAsks(), SystemClock()).session.ledger
    ledger.attach(Kept())
    work.secrets.learn("test", Secret("hush-hush"))
    ledger.note(r.ScopePaused(at=BEGIN, scope="default", why="it said hush-hush"))
    assert [getattr(record, "why", None) for record in written] == ["it said ***"]


def test_a_session_knows_every_workflow_of_the_state_folder_and_makes_each_token_once(state: State) -> None:
    """Evidence is judged by them: another fleet's upgrade is no candidate."""
    before(state, "other", INTENT, REJECT, settled(Outcome.REJECTED), ENDED)
    session = anyio.run(_assemble, work_in(state), {}, NobodyAsks(), SystemClock()).session
    assert anyio.run(session.known_workflows) == {"w0"}
    before(state, "third", INTENT, replace(REJECT, update_result=(Entry(workflow_id="w1", state="ACCEPT"),)))
    assert anyio.run(session.known_workflows) == {"w0", "w1"}
    assert getattr(anyio.run(session.told_elsewhere, "w1"), "fleet", None) == "third"
    assert len({session.new_token() for _ in range(100)}) == 100


def test_a_session_serves_the_scopes_that_its_host_may_serve() -> None:
    scopes = (Scope(name="here", hosts=("bj-*",)), Scope(name="there", hosts=("sh-1",)), Scope(name="anywhere"))
    served = {
        host: [
            scope.name for scope in replace(work_in(MemoryState(host=host)), plan=replace(PLAN, scopes=scopes)).served
        ]
        for host in ("bj-1", "sh-1", None)
    }
    assert served == {
        "bj-1": ["here", "anywhere"],
        "sh-1": ["there", "anywhere"],
        None: ["here", "there", "anywhere"],
    }


def test_a_session_goes_by_the_clock_of_its_state() -> None:
    state = MemoryState(host="bj-1", clock_ahead=timedelta(hours=1))
    ahead = anyio.run(clock_of, work_in(state)).now() - SystemClock().now()
    assert abs(ahead - timedelta(hours=1)) < timedelta(minutes=10)
