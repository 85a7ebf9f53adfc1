"""What of a run a person should look at while it goes on."""

from fakes.clock import START
from fakes.recorded import make_plan, make_targets, run_started
from fakes.stage import fold_all, plan_of, targets_of

from orchestrator.app.status.outlook import look
from orchestrator.app.status.what_next.attention import attention_lines
from orchestrator.model.plan.plan import Wave
from orchestrator.model.plan.selection import Selector
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome
from orchestrator.tracker.report.build import build_report

FAILED, WAITING = make_targets(2)
PLAN = make_plan([FAILED, WAITING])
SETTLED = r.Settled(at=START, target=FAILED.proxy_id, outcome=Outcome.FAILED, reason="job w-1 Failed", wave="canary")


def lines(hold: r.HoldSet) -> list[str]:
    run = fold_all(PLAN, (run_started(2), SETTLED, hold))
    head = build_report(run, PLAN).head
    return list(attention_lines(look(PLAN, run, (), START, working=False), head, "p.yaml"))


def test_who_is_asked_to_approve_sees_what_failed_before() -> None:
    told = lines(r.HoldSet(at=START, cause="approval", reason="wave rest waits for approval", wave="rest"))
    title = told.index("not ended well so far:")
    assert told[title + 1].startswith(f"  failed     {FAILED.proxy_id}: job w-1 Failed -> look at it now")


def test_a_project_that_may_be_mistaken_is_named_with_its_place_in_the_plan() -> None:
    why = "HTTP 403: The project does not exist or you have no permission for it."
    for words, named in ((why, 1), ("connection refused", 0)):
        run = fold_all(PLAN, (run_started(2), r.ScopeGivenUp(at=START, scope="default", why=words)))
        told = attention_lines(look(PLAN, run, (), START, working=False), build_report(run, PLAN).head, "p.yaml")
        advice = "project_id p-default: correct it, or let these credentials use that project"
        assert list(told) == [f"scope default, which cannot be used: {advice}"] * named


def test_a_canary_in_a_scope_that_was_given_up_is_said_to_keep_the_other_scopes_waiting() -> None:
    """It has shown nothing, so no later wave opens, whatever `scopes_required` says."""
    targets = targets_of(3, scopes=("bad", "good"))
    first = Selector(instance_id=targets[0].instance_id)
    waves = (Wave(name="canary", select=first), Wave(name="rest"))
    opened = r.WaveOpened(at=START, wave="canary")
    gone = r.ScopeGivenUp(at=START, scope="bad", why="connection refused")
    line = (
        "wave canary waits for scope bad, and no later wave opens before it is over: "
        "what is in scope good and in a later wave does not start either"
    )
    for plan, records, told in (
        (plan_of(targets, waves=waves), (opened, gone), [line]),
        (plan_of(targets, waves=waves), (opened,), []),
        (plan_of(targets, waves=waves), (gone,), []),
        (plan_of(targets[:1], waves=waves[:1]), (opened, gone), []),
        (plan_of(targets, waves=(Wave(name="canary"),)), (opened, gone), []),
    ):
        run = fold_all(plan, (run_started(len(plan.proxies)), *records))
        seen = look(plan, run, (), START, working=False)
        assert list(attention_lines(seen, build_report(run, plan).head, "p.yaml")) == told


def test_what_a_hold_names_is_named_once() -> None:
    told = lines(r.HoldSet(at=START, cause="failures", reason="1 failure", proxy_ids=(FAILED.proxy_id,)))
    assert sum(FAILED.proxy_id in line for line in told) == 2, "as the cause, and in the command"


def test_an_attempt_in_doubt_is_named_while_evidence_is_looked_for() -> None:
    intent = r.Intent(
        at=START,
        target=FAILED.proxy_id,
        attempt=1,
        wave="canary",
        token="t",
        source_version="1",
        target_version="2",
    )
    lost = r.AnswerSeen(at=START, target=FAILED.proxy_id, attempt=1, verdict="in_doubt", reason="HTTP 504")
    run = fold_all(PLAN, (run_started(2), intent, lost))
    head = build_report(run, PLAN).head
    told = list(attention_lines(look(PLAN, run, (), START, working=True), head, "p.yaml"))
    title, line = told
    assert title == "in doubt, and evidence is looked for:"
    assert line.startswith(f"  {FAILED.proxy_id}: ")
    assert line.endswith("no answer came (HTTP 504)")
