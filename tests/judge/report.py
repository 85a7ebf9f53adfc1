"""The report adds up, and every claim of it has its line in the journal. Reads these two and nothing else."""

from collections import Counter

from judge.known import accepts
from judge.rule import Found, Rule, Violation

from orchestrator.model.plan.plan import Plan
from orchestrator.model.record.record import (
    AnswerSeen,
    DoubtRenewed,
    Intent,
    JobSeen,
    Record,
    Reverified,
    Settled,
    WorkflowAdopted,
)
from orchestrator.tracker.report.schema import Report, TargetReport


def report_rules(plan: Plan, records: list[Record], report: Report) -> Found:
    """Every rule about the report of a run, whose journal has these records."""
    for problem in (*_sums(report), *_order(plan, report)):
        yield Violation(Rule.REPORT, problem)
    told, doubted = _by_target(records), _doubted(records)
    adopted = {record.workflow_id: record.target for record in records if isinstance(record, WorkflowAdopted)}
    for target in report.targets:
        taken = {each for each, owner in adopted.items() if owner != target.proxy_id}
        for problem in _backed(target, told.get(target.proxy_id, []), doubted, taken):
            yield Violation(Rule.REPORT, f"{target.proxy_id}: {problem}")


def _sums(report: Report) -> list[str]:
    outcomes = Counter(target.outcome for target in report.targets)
    attempts = sum(len(target.attempts) for target in report.targets)
    problems = []
    if report.totals.targets != len(report.targets) or Counter(report.totals.outcomes) != outcomes:
        problems.append(f"totals say {report.totals.outcomes}, targets {dict(outcomes)}")
    if report.totals.upgrade_calls != attempts:
        problems.append(f"{report.totals.upgrade_calls} upgrade calls, {attempts} attempts")
    if report.totals.calls != sum(scope.calls for scope in report.scopes) or report.totals.calls < 0:
        problems.append("calls do not add up over the scopes")
    for wave in report.waves:
        members = Counter(target.outcome for target in report.targets if target.wave == wave.name)
        if wave.targets != members.total() or Counter(wave.outcomes) != members:
            problems.append(f"wave {wave.name} says {wave.outcomes}, its targets {dict(members)}")
    thin = [reason for reason in report.reject_reasons if not 0 < len(reason.proxy_ids) <= reason.count]
    return problems + [f"{reason.count} times {reason.reason}, of {reason.proxy_ids}" for reason in thin]


def _order(plan: Plan, report: Report) -> list[str]:
    planned = [target.proxy_id for target in plan.proxies]
    told = [target.proxy_id for target in report.targets]
    return [] if planned == told else ["the targets are not those of the plan, in its order"]


def _by_target(records: list[Record]) -> dict[str, list[Record]]:
    told: dict[str, list[Record]] = {}
    for record in records:
        if record.target is not None:
            told.setdefault(record.target, []).append(record)
    return told


def _doubted(records: list[Record]) -> set[str | None]:
    """Ids that were given to more than one target, or whose job was seen elsewhere: an answer alone shows nothing."""
    given: dict[str | None, set[str | None]] = {}
    for record in records:
        match record:
            case AnswerSeen():
                for entry in record.update_result:
                    given.setdefault(entry.workflow_id, set()).add(record.target)
            case WorkflowAdopted():
                given.setdefault(record.workflow_id, set()).add(record.target)
            case DoubtRenewed():
                given.setdefault(record.workflow_id, set()).update((record.target, None))
            case _:
                pass
    return {workflow_id for workflow_id, targets in given.items() if len(targets) > 1}


def _backed(target: TargetReport, records: list[Record], doubted: set[str | None], taken: set[str]) -> list[str]:
    """What the report says of a target and the journal does not; `taken`: jobs that are another target's after all."""
    ids = _ids_backed(target, records, doubted, taken)
    return [*_attempts_backed(target, records), *ids, *_outcome_backed(target, records)]


def _attempts_backed(target: TargetReport, records: list[Record]) -> list[str]:
    intents = [record for record in records if isinstance(record, Intent)]
    answers = {record.attempt: record for record in records if isinstance(record, AnswerSeen)}
    if [attempt.at for attempt in target.attempts] != [intent.at for intent in intents]:
        return [f"{len(target.attempts)} attempts, {len(intents)} intents"]
    for attempt in target.attempts:
        answer = answers.get(attempt.number)
        facts = (answer.http_status, answer.update_result) if answer else (None, ())
        if (attempt.http_status, tuple(attempt.update_result)) != facts:
            return [f"attempt {attempt.number} is told otherwise than its answer"]
    return []


def _ids_backed(target: TargetReport, records: list[Record], doubted: set[str | None], taken: set[str]) -> list[str]:
    known: set[str | None] = set()
    answered: set[str | None] = set()
    for record in records:
        match record:
            case AnswerSeen(verdict="accepted" | "partial"):
                answered.update(entry.workflow_id for entry in record.update_result if accepts(entry))
            case WorkflowAdopted() | JobSeen():
                known.add(record.workflow_id)
            case _:
                pass
    known -= {None} | taken | {each.workflow_id for each in records if isinstance(each, DoubtRenewed)}
    told, certain = set(target.workflow_ids), known | (answered - doubted - {None})
    return [] if certain <= told <= known | answered else [f"workflow_ids {target.workflow_ids}, journal {certain}"]


def _outcome_backed(target: TargetReport, records: list[Record]) -> list[str]:
    settled = [record for record in records if isinstance(record, Settled)]
    if not settled:
        ended = target.outcome not in ("waiting", "in_flight", "in_doubt", "timed_out")
        return [f"it is {target.outcome}, but nothing settled it"] if ended else []
    spoilt = any(isinstance(record, Reverified) and not record.healthy for record in records)
    expected = "failed" if spoilt else settled[-1].outcome.value
    if (target.outcome, target.settled_by, target.settled_host or "") != (
        expected,
        settled[-1].settled_by,
        settled[-1].host,
    ):
        return [f"it is {target.outcome}, settled by {target.settled_by}; the journal says {settled[-1]}"]
    return []
