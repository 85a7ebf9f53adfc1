"""The hosts of a fleet as `status` tells of them: nothing where one host alone has to do with it."""

from datetime import timedelta

from fakes.memory_state import MemoryFleet, MemoryState
from fakes.recorded import BEGIN, RUN_ID, make_plan, make_targets, run_started

from orchestrator.app.status.document import fleet_document
from orchestrator.app.status.fleet_status import standing
from orchestrator.model.plan.plan import Plan, Scope
from orchestrator.model.record import record as r
from orchestrator.tracker.runs.recovery import Recovered, recover
from orchestrator.tracker.served_groups import Standby

TARGETS = make_targets(3)
PLAN = make_plan(TARGETS)
OTHERS = make_plan(TARGETS, scopes=(*PLAN.scopes, Scope(name="shanghai", region="cn-east-3", hosts=("sh-*", "c"))))
LATER = BEGIN + timedelta(minutes=1)


def session(host: str) -> r.SessionStarted:
    return r.SessionStarted(at=BEGIN, number=1, pid=1, host=host, orchestrator_version="0")


def recovered(
    *records: r.Record, standbys: tuple[Standby, ...] = (), plan: Plan = PLAN, host: str | None = None
) -> Recovered:
    fleet = MemoryState(host=host).fleet("prod", writes=True)
    assert isinstance(fleet, MemoryFleet)
    fleet.worker, fleet.stand_by = "process 1 on a", [*standbys]
    run = fleet.begin(plan, TARGETS, run_started(3, run_id=RUN_ID))
    run.resume(2).append(records)
    return recover(run)


def lines(found: Recovered) -> list[str]:
    told = [*standing(found, PLAN, BEGIN, "p.yaml")]
    begin = told.index("hosts:") if "hosts:" in told else len(told)
    return [line.strip() for line in told[begin + 1 : begin + 4]]


def test_of_one_host_alone_nothing_is_said() -> None:
    assert lines(recovered(session("a"))) == []


def test_the_one_that_works_comes_before_those_that_stand_by_and_the_latest_takeover_after_them() -> None:
    found = recovered(session("b"), session("a"), standbys=(Standby("c", LATER),))
    assert lines(found) == [
        "a works since 2026-03-01 22:00:00Z",
        "c stands by since 2026-03-01 22:01:00Z",
        "a went on at 2026-03-01 22:00:00Z where b was lost",
    ]


def test_programs_are_told_the_same() -> None:
    told = fleet_document(recovered(session("b"), session("a"), standbys=(Standby("c", LATER),)), PLAN, BEGIN, "p.yaml")
    assert [(each.name, each.state) for each in told.hosts] == [("a", "works"), ("c", "stands_by")]
    assert told.takeover is not None
    assert (told.takeover.host, told.takeover.before, told.takeover.lost) == ("a", "b", True)


def test_one_that_serves_is_told_with_its_scopes_and_since_when() -> None:
    found = recovered(session("a"), standbys=(Standby("c", LATER, ("c,sh-*",)),), plan=OTHERS, host="a")
    assert lines(found)[:2] == ["a works since 2026-03-01 22:00:00Z", "c serves shanghai since 2026-03-01 22:01:00Z"]
    told = fleet_document(found, OTHERS, BEGIN, "p.yaml")
    assert [(each.name, each.state, each.scopes) for each in told.hosts] == [
        ("a", "works", [scope.name for scope in PLAN.scopes]),
        ("c", "serves", ["shanghai"]),
    ]


def test_a_host_that_shares_its_state_with_no_other_serves_every_scope() -> None:
    told = fleet_document(recovered(session("a"), plan=OTHERS), OTHERS, BEGIN, "p.yaml")
    assert [each.scopes for each in told.hosts] == [[scope.name for scope in OTHERS.scopes]]
