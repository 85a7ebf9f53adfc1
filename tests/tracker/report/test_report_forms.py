"""The report for people and for spreadsheets, and the summary at the end of a run."""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from fakes.plausible import PlausibleRun
from fakes.recorded import BEGIN, NEW, OLD, empty_run, make_plan, make_targets, run_started
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from orchestrator.errors import ExitCode
from orchestrator.model.plan.target import Facts
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import FAILED_BEFORE, Outcome
from orchestrator.model.record.record import Record
from orchestrator.model.reply.reply import Entry
from orchestrator.model.run.run import Run
from orchestrator.tracker.report.behind import NAMED, NOT_OFFERED, Behind, behind_lines
from orchestrator.tracker.report.build import Story, build_report
from orchestrator.tracker.report.csv_form import COLUMNS, csv_lines
from orchestrator.tracker.report.how_ended import behind, count_found
from orchestrator.tracker.report.schema import TargetReport
from orchestrator.tracker.report.summary import summary
from orchestrator.tracker.report.text_form import text_lines

TARGETS = make_targets(4)
A, B, C, D = (target.proxy_id for target in TARGETS)
REJECT = Entry(state="REJECT", error_message='no "subnet", ip')


def intent(key: str) -> r.Intent:
    return r.Intent(at=BEGIN, target=key, attempt=1, wave="canary", token="t", source_version=OLD, target_version=NEW)


STORY: Sequence[Record] = (
    run_started(4),
    r.WaveOpened(at=BEGIN, wave="canary"),
    intent(A),
    r.AnswerSeen(at=BEGIN, target=A, attempt=1, verdict="rejected", http_status=200, update_result=(REJECT,)),
    r.Settled(at=BEGIN, target=A, outcome=Outcome.REJECTED, wave="canary", reason='no "subnet", ip'),
    intent(B),
    r.AnswerMissing(at=BEGIN, target=B, attempt=1),
    r.DoubtLooked(at=BEGIN, target=B, finding="two jobs might be it"),
    r.DoubtRemains(at=BEGIN, target=B, attempt=1, why="several candidates"),
    r.Settled(at=BEGIN, target=C, outcome=Outcome.ALREADY, wave="canary", reason="current"),
)


def story(*more: Record, simulated: bool = False) -> Story:
    plan = make_plan(TARGETS)
    run = empty_run(plan, TARGETS)
    for record in (run_started(4, simulated=simulated), *STORY[1:], *more):
        run.apply(record)
    return build_report(run, plan)


def test_the_text_tells_first_what_matters() -> None:
    text = "\n".join(text_lines(story()))
    assert text.startswith(f"prod -> {NEW}: unfinished\n")
    assert "sessions: 0, as of 2026-03-01 22:00:00Z\n" in text
    assert re.search(r"^ +1 +rejected$", text, re.MULTILINE)
    assert re.search(r'^ +1 +no "subnet", ip$', text, re.MULTILINE)
    assert "canary: open, 3 targets: 1 already, 1 rejected, 1 in_doubt" in text
    why = "no answer came; several candidates; two jobs might be it"
    assert re.search(rf"need a person.*\n  {B}  in_doubt: attempt 1 at .*: {why}\n", text)
    assert all(key in text for key in (A, B, C, D))


def test_targets_to_look_at_stand_before_the_others_and_each_once() -> None:
    rows = [line.split()[0] for line in text_lines(story()) if re.match(r"  \w+po01 +(canary|-) ", line)]
    assert rows == [A, B, C, D]
    late = r.Settled(at=BEGIN, target=D, outcome=Outcome.SKIPPED, wave="canary", reason="gone")
    lines = list(text_lines(story(late)))
    rows = [line.split()[0] for line in lines if re.match(r"  \w+po01 +(canary|-) ", line)]
    assert rows == [A, B, D, C]
    assert lines.index("Targets to look at") < lines.index("Targets")


def test_a_report_without_trouble_has_one_table() -> None:
    run = empty_run(make_plan(TARGETS), TARGETS)
    run.apply(run_started(4))
    lines = list(text_lines(build_report(run, make_plan(TARGETS))))
    assert "Targets" in lines
    assert "Targets to look at" not in lines


def test_the_text_names_instance_and_proxy_where_they_are_known() -> None:
    found = [structs.replace(each, facts=Facts(name="orders-db", proxy_name="read")) for each in TARGETS]
    run = empty_run(make_plan(found), found)
    run.apply(run_started(4))
    rows = [line for line in text_lines(build_report(run, make_plan(found))) if "po01 " in line]
    assert len(rows) == 4
    assert all(row.endswith("orders-db/read") for row in rows)


def test_a_hold_stands_at_the_top_with_its_causes() -> None:
    hold = r.HoldSet(at=BEGIN, cause="person", reason="asked for", by="ann", note="wait", proxy_ids=(B,))
    lines = list(text_lines(story(hold)))
    assert lines[3] == "HELD since 2026-03-01 22:00:00Z by ann: asked for (wait)"
    assert lines[4:6] == ["  1 x several candidates", f"    {B}"]


def test_the_causes_of_a_hold_are_grouped_by_reason_without_the_ids_in_it() -> None:
    failed = [failure(key, f"job wf-{key} Failed: disk") for key in (C, D)]
    hold = r.HoldSet(at=BEGIN, cause="failures", reason="3 failures, 2 allowed for the fleet", proxy_ids=(C, D, B))
    lines = list(text_lines(story(*(record for records in failed for record in records), hold)))
    assert lines[4:9] == [
        "  2 x job Failed: disk",
        f"    {C}",
        f"    {D}",
        "  1 x several candidates",
        f"    {B}",
    ]


def failure(key: str, reason: str) -> tuple[Record, ...]:
    job = r.JobSeen(at=BEGIN, target=key, attempt=1, workflow_id=f"wf-{key}", status="Failed", ended=True)
    settled = r.Settled(at=BEGIN, target=key, outcome=Outcome.FAILED, wave="canary", reason=reason)
    return (intent(key), job, settled)


def test_everything_about_a_simulated_run_says_so() -> None:
    assert next(text_lines(story(simulated=True))).startswith("SIMULATED: ")
    told = summary(story(simulated=True).head, (), "nothing", Path("r"), ExitCode.DONE)
    assert told.startswith("SIMULATED: ")


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_the_csv_is_a_formula(begin: str) -> None:
    reason = f'{begin}HYPERLINK("http://example.invalid")'
    settled = r.Settled(at=BEGIN, target=D, outcome=Outcome.REJECTED, wave="canary", reason=reason)
    row = {row["proxy_id"]: row for row in csv.DictReader(csv_lines(story(settled).targets))}[D]
    assert row["reason"] == f"'{reason}"


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("before", ["", "no ip"])
def test_no_end_of_a_line_in_a_cell_begins_another_row(before: str, end: str) -> None:
    """What follows would be a row that the cloud has made up, and may begin like a formula."""
    reason = f"{before}{end}=1+1"
    settled = r.Settled(at=BEGIN, target=D, outcome=Outcome.REJECTED, wave="canary", reason=reason)
    file = io.StringIO("".join(csv_lines(story(settled).targets)), newline="")
    rows = list(csv.DictReader(file))
    assert [row["proxy_id"] for row in rows] == [A, B, C, D]
    assert rows[3]["reason"].removeprefix("'") == reason


def test_csv_has_a_line_for_every_target_and_survives_quotes_and_commas() -> None:
    rows = list(csv.DictReader(csv_lines(story().targets)))
    assert [row["proxy_id"] for row in rows] == [A, B, C, D]
    assert rows[0]["reason"] == 'no "subnet", ip'
    assert (rows[0]["outcome"], rows[0]["http_status"], rows[0]["settled_at"]) == (
        "rejected",
        "200",
        "2026-03-01T22:00:00Z",
    )
    assert (rows[1]["labels"], rows[3]["outcome"], rows[3]["attempts"]) == ("app=a1", "waiting", "0")


def test_the_columns_never_move() -> None:
    assert ",".join(COLUMNS) == (
        "scope,project_id,instance_id,proxy_id,wave,outcome,reason,source_version,target_version,verified_version,"
        "workflow_ids,attempts,http_status,error_code,request_id,job_status,fail_reason,settled_by,started_at,"
        "settled_at,labels,settled_host,earlier_run_id,earlier_outcome,earlier_reason,earlier_workflow_ids"
    )


def told(key: str, *records: Record) -> tuple[TargetReport, dict[str, str], str]:
    """Of one target: its entry, its CSV row, and its line of the text."""
    (entry,) = (target for target in story(*records).targets if target.proxy_id == key)
    row = {row["proxy_id"]: row for row in csv.DictReader(csv_lines(story(*records).targets))}[key]
    (line,) = (line for line in text_lines(story(*records)) if line.startswith(f"  {key}"))
    return entry, row, line


def test_what_the_cloud_refused_of_an_upgraded_proxy_stands_in_its_row_in_every_form() -> None:
    mixed = (Entry(state="ACCEPT", workflow_id="wf-1"), REJECT)
    answer = r.AnswerSeen(at=BEGIN, target=D, attempt=1, verdict="partial", http_status=200, update_result=mixed)
    settled = r.Settled(at=BEGIN, target=D, outcome=Outcome.SUCCEEDED, wave="canary", verified_version=NEW)
    entry, row, line = told(D, intent(D), answer, settled)
    assert entry.reason == row["reason"] == 'upgraded, although the cloud said no: no "subnet", ip'
    assert line.endswith('upgraded, although the cloud said no: no "subnet", ip wf-1')


def test_the_reasons_add_up_to_the_outcomes_beside_them() -> None:
    assert "Refused by the cloud:" in list(text_lines(story())), "once for each rejected target: nothing to explain"
    mixed = (Entry(state="ACCEPT", workflow_id="wf-1"), REJECT)
    answer = r.AnswerSeen(at=BEGIN, target=D, attempt=1, verdict="partial", http_status=200, update_result=mixed)
    failed = r.Settled(at=BEGIN, target=D, outcome=Outcome.FAILED, wave="canary", reason="job wf-1 Failed")
    lines = list(text_lines(story(intent(D), answer, failed)))
    assert "Refused by the cloud, 2 times for 2 proxies:" in lines
    assert '        2  no "subnet", ip; of 2 proxies: 1 rejected, 1 failed' in lines


def test_who_was_not_looked_at_is_not_said_to_run_the_version() -> None:
    run = settled_run(Outcome.SUCCEEDED, None, 3)
    run.apply(r.Settled(at=BEGIN, target=B, outcome=Outcome.FAILED))
    first = f"1 of 3 run {NEW}, 1 completed without a look at the version; 1 is not known to run it:"
    assert lagging(run)[0] == first


def test_a_proxy_left_out_for_an_earlier_failure_names_it_in_every_form() -> None:
    known = r.EarlierOutcome(
        at=BEGIN, target=D, run_id="night-1", outcome=Outcome.FAILED, reason="disk", workflow_ids=("wf-1",)
    )
    settled = r.Settled(at=BEGIN, target=D, outcome=Outcome.SKIPPED, reason=FAILED_BEFORE)
    _entry, row, line = told(D, known, settled)
    assert [row[f"earlier_{name}"] for name in ("run_id", "outcome", "reason", "workflow_ids")] == [
        "night-1",
        "failed",
        "disk",
        "wf-1",
    ]
    assert line.endswith("failed_before: failed in run night-1: disk wf-1")


@given(st.integers(0, 10_000), st.integers(0, 80))
def test_any_run_can_be_told_in_any_form(seed: int, steps: int) -> None:
    live = PlausibleRun(seed).steps(steps)
    text = list(text_lines(build_report(live.run, live.plan)))
    rows = list(csv.reader(csv_lines(build_report(live.run, live.plan).targets)))
    assert sum(line.startswith(f"  {target.proxy_id}") for target in live.targets for line in text) >= live.count
    assert {len(row) for row in rows} == {len(COLUMNS)}
    assert len(rows) == live.count + 1


@pytest.mark.parametrize("code", list(ExitCode))
def test_the_summary_ends_with_the_report_and_what_to_do(code: ExitCode) -> None:
    told = summary(
        story().head, ["look here"], "orchestrator run /p/prod.yaml", Path("/s/report.json"), code, ["stopped", "twice"]
    )
    lines = told.splitlines()
    assert lines[-5:-1] == ["look here", "why: stopped", "why: twice", "report: /s/report.json"]
    assert lines[-1].startswith("next: orchestrator run /p/prod.yaml")
    assert lines[-1].endswith("report the bug") == (code is ExitCode.INTERNAL)


def settled_run(outcome: Outcome, reason: str | None, count: int, *more: Record, evidence: str | None = None) -> Run:
    """A run in which all but the last target took an outcome, and that one was upgraded."""
    targets = make_targets(count)
    run = empty_run(make_plan(targets), targets)
    run.apply(run_started(count))
    for record in more:
        run.apply(record)
    for number, target in enumerate(targets, 1):
        key, last = target.proxy_id, number == count
        taken = (
            {"outcome": Outcome.SUCCEEDED, "verified_version": NEW}
            if last
            else {"outcome": outcome, "reason": reason, "evidence": evidence}
        )
        run.apply(r.Settled(at=BEGIN, target=key, **taken))
    return run


def lagging(run: Run) -> list[str]:
    plan = make_plan(list(run.targets.values()))
    first = list(behind(run, plan, without=NOT_OFFERED))[:NAMED]
    places = {target.proxy_id: "p.yaml:7:3" for target in first}
    found = count_found(run, NOT_OFFERED)
    named = Behind(first=first, not_offered=found, version_place="p.yaml:7:3", places=places)
    return list(behind_lines(build_report(run, plan).head, named))


def test_what_does_not_run_the_target_version_is_named_with_what_to_do() -> None:
    earlier = r.EarlierOutcome(
        at=BEGIN, target=A, run_id="night-1", outcome=Outcome.FAILED, reason="disk", workflow_ids=("wf-1",)
    )
    lines = lagging(settled_run(Outcome.SKIPPED, FAILED_BEFORE, 2, earlier))
    assert f"1 of 2 run {NEW}; 1 is not known to run it:" in lines
    (told,) = [line for line in lines if A in line]
    assert "failed" in told
    assert f"{A}: disk (workflow wf-1), in run night-1 -> look at it now" in told


def test_a_workflow_that_the_reason_names_is_not_named_twice() -> None:
    earlier = r.EarlierOutcome(
        at=BEGIN, target=A, run_id="n", outcome=Outcome.FAILED, reason="job wf-1 Failed", workflow_ids=("wf-1",)
    )
    lines = lagging(settled_run(Outcome.SKIPPED, FAILED_BEFORE, 2, earlier))
    assert "\n".join(lines).count("wf-1") == 1


def test_a_version_that_is_not_on_offer_is_one_mistake_however_many_proxies() -> None:
    run = settled_run(Outcome.SKIPPED, NOT_OFFERED, NAMED + 4, evidence="the newest version on offer is 2.24.01.000")
    first, told = lagging(run)
    assert first == f"1 of {NAMED + 4} run {NEW}; {NAMED + 3} are not known to run it:"
    found = "the newest version on offer is 2.24.01.000 -> did you mean the version on offer? correct target_version"
    assert told.startswith(f"  p.yaml:7:3: target_version {NEW} of {NAMED + 3} proxies: {found}")


def test_many_that_lag_behind_are_cut_and_counted() -> None:
    lines = lagging(settled_run(Outcome.REJECTED, "no ip", NAMED + 4))
    assert sum("-> remove the cause" in line for line in lines) == NAMED
    assert "  and 3 more, in the report" in lines


def test_many_reasons_are_cut_and_counted() -> None:
    records: list[Record] = []
    targets = make_targets(9)
    for number, target in enumerate(targets):
        reason = f"reason {'abcdefghi'[number]}"
        records.append(r.Settled(at=BEGIN, target=target.proxy_id, outcome=Outcome.REJECTED, reason=reason))
    plan = make_plan(targets)
    run = empty_run(plan, targets)
    for record in (run_started(9), *records):
        run.apply(record)
    text = summary(build_report(run, plan).head, (), "nothing", Path("r"), ExitCode.OTHER_OUTCOMES)
    assert "and 4 more reasons, in the report" in text
    assert text.count("reason ") == 5
