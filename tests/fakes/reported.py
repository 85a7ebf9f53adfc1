"""The report of a night in which the cloud refused some targets with hostile words."""

from collections.abc import Callable
from datetime import timedelta

from fakes.recorded import BEGIN, NEW, OLD, empty_run, make_plan, make_targets, run_started
from msgspec.structs import replace

from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.target import Facts
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import Record
from orchestrator.model.reply.reply import Entry
from orchestrator.model.run.run import Run
from orchestrator.tracker.report.build import Story, build_report

HOSTILE = "</script><script>document.title='owned'</script><img src=//evil.example/x onerror=alert(1)> \u202egnihton"


def _upgrade(key: str, number: int, reason: str | None = None) -> list[Record]:
    begin, end = BEGIN + timedelta(seconds=number), BEGIN + timedelta(seconds=number + 600 + number % 97)
    entry = (
        Entry(state="REJECT", error_message=reason)
        if reason
        else Entry(state="ACCEPT", workflow_id=f"{number:08x}-0000-4000-8000-{number:012x}")
    )
    outcome = Outcome.REJECTED if reason else Outcome.SUCCEEDED
    return [
        r.Intent(at=begin, target=key, attempt=1, wave="canary", token="t", source_version=OLD, target_version=NEW),
        r.AnswerSeen(
            at=begin,
            target=key,
            attempt=1,
            verdict="rejected" if reason else "accepted",
            http_status=200,
            request_id=f"{number:032x}",
            update_result=(entry,),
        ),
        r.Settled(
            at=end, target=key, outcome=outcome, wave="canary", reason=reason, verified_version=None if reason else NEW
        ),
    ]


def make_run(
    count: int, *refused: int, hold: bool = False, facts: Callable[[int], Facts | None] = lambda _: None
) -> tuple[Run, Plan]:
    """So many targets that are upgraded, but for some that are refused with hostile words."""
    targets = [replace(target, facts=facts(number)) for number, target in enumerate(make_targets(count))]
    plan = make_plan(targets)
    run = empty_run(plan, targets)
    records: list[Record] = [run_started(count), r.WaveOpened(at=BEGIN, wave="canary")]
    for number, target in enumerate(targets):
        records += _upgrade(target.proxy_id, number, HOSTILE if number in refused else None)
    if hold:
        records.append(r.HoldSet(at=BEGIN, cause="rejected", reason="1 rejected, 0 allowed for the fleet"))
    for record in records:
        run.apply(record)
    return run, plan


def make_story(count: int, *refused: int, hold: bool = False) -> Story:
    """The report of such a run."""
    return build_report(*make_run(count, *refused, hold=hold), exit_code=3 if hold else 1, named="night.yaml")
