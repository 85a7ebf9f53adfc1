"""What the report says of one target: everything that its records say, and nothing that they do not."""

from collections.abc import Mapping
from functools import cache

from msgspec import structs

from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.target import Facts, Target
from orchestrator.model.record.outcome import Phase
from orchestrator.model.record.record import EarlierOutcome, JobSeen
from orchestrator.model.run.run import Run
from orchestrator.model.run.state import TargetState
from orchestrator.model.run.upgrade_call import Attempt
from orchestrator.tracker.report.parts.impact_form import target_impact
from orchestrator.tracker.report.parts.upgrade import AttemptReport, EarlierReport, FactsReport, JobReport
from orchestrator.tracker.report.rejects import refusals_of
from orchestrator.tracker.report.schema import TargetReport


def projects(run: Run, plan: Plan) -> dict[str, str | None]:
    """The project_id of each scope, where it is known."""
    return {scope.name: scope.project_id or run.scopes[scope.name].project_id for scope in plan.scopes}


def target_in(run: Run, plan: Plan, projects: Mapping[str, str | None], target: Target) -> TargetReport:
    """The entry of one target of a run; `projects`: as of `projects`."""
    key = target.proxy_id
    state, project = run.states.glance(key), projects.get(target.scope)
    return target_report(target, state, plan.target_version, project, run.earlier.get(key))


def target_report(
    target: Target,
    state: TargetState | None,
    target_version: str,
    project_id: str | None,
    earlier: EarlierOutcome | None = None,
) -> TargetReport:
    """One entry of the report's `targets`.

    Args:
        target: the target.
        state: the fold of its records; None when there are none.
        target_version: the plan's.
        project_id: of its scope.
        earlier: what an earlier run said of it.
    """
    if state is not None:
        return _touched(target, state, target_version, project_id, earlier)
    return structs.replace(
        _untouched(),
        scope=target.scope,
        project_id=project_id,
        instance_id=target.instance_id,
        proxy_id=target.proxy_id,
        labels=target.labels,
        source_version=target.source_version,
        target_version=target_version,
        facts=_facts(target.facts),
        earlier=_earlier(earlier),
    )


@cache
def _untouched() -> TargetReport:
    """What is said of every target without a record. Changed for each, it takes a fraction of saying it again."""
    nobody = Target(scope="", instance_id="", proxy_id="")
    return _touched(nobody, TargetState(nobody), "", None, None)


def _touched(
    target: Target, state: TargetState, target_version: str, project_id: str | None, earlier: EarlierOutcome | None
) -> TargetReport:
    return TargetReport(
        scope=target.scope,
        project_id=project_id,
        instance_id=target.instance_id,
        proxy_id=target.proxy_id,
        labels=target.labels,
        wave=state.wave,
        source_version=_source_version(state),
        target_version=state.last.intent.target_version if state.attempts else target_version,
        outcome=state.standing,
        reason=reason_of(state),
        settled_by=state.settled_by,
        settled_host=state.settled_host or None,
        workflow_ids=list(state.jobs),
        attempts=[_attempt(number, attempt) for number, attempt in enumerate(state.attempts, 1)],
        job=_job(state),
        verified_version=state.verified_version,
        evidence=list(state.evidence) or None,
        started_at=state.attempts[0].intent.at if state.attempts else None,
        settled_at=state.settled_at,
        needs_person=state.needs_person,
        stuck_at=state.stuck_at,
        facts=_facts(target.facts),
        earlier=_earlier(earlier),
        impact=target_impact(state),
    )


def reason_of(state: TargetState) -> str | None:
    """Why it stands so, with each no of the cloud on the way there: an answer may refuse a part, or be in doubt."""
    own = None if state.phase is Phase.IN_FLIGHT else state.reason
    texts = {no.text: None for no in refusals_of(state)}
    refused = [text for text in texts if text not in (own or "")]
    if not refused:
        return own
    said = "; ".join(refused)
    if own:
        return f"{own}; the cloud also said no: {said}"
    return f"{'upgraded, although ' if state.seen_upgraded else ''}the cloud said no: {said}"


def _facts(facts: Facts | None) -> FactsReport | None:
    if facts is None:
        return None
    return FactsReport(
        name=facts.name,
        tags=facts.tags,
        window=facts.maintenance_window,
        proxy_name=facts.proxy_name,
        subnet=facts.subnet,
        nodes=facts.nodes,
    )


def _earlier(known: EarlierOutcome | None) -> EarlierReport | None:
    if known is None:
        return None
    return EarlierReport(
        run_id=known.run_id, outcome=known.outcome.value, reason=known.reason, workflow_ids=list(known.workflow_ids)
    )


def _source_version(state: TargetState) -> str | None:
    if state.attempts:
        return state.last.intent.source_version
    return state.read_version or state.target.source_version


def _attempt(number: int, attempt: Attempt) -> AttemptReport:
    answer = attempt.answer
    return AttemptReport(
        number=number,
        at=attempt.intent.at,
        duration_ms=answer.duration_ms if answer else None,
        http_status=answer.http_status if answer else None,
        request_id=answer.request_id if answer else None,
        error_code=answer.error_code if answer else None,
        error_msg=answer.error_msg if answer else None,
        verdict=answer.verdict if answer else None,
        reason=answer.reason if answer else None,
        update_result=list(answer.update_result) if answer else [],
        host=attempt.host,
    )


def _job(state: TargetState) -> JobReport | None:
    seen = [job for job in state.jobs.values() if job is not None]
    if not seen:
        return None
    worst = max(seen, key=lambda job: (_badness(job), job.at))
    return JobReport(status=worst.status, ended_at=worst.ended_at, fail_reason=worst.fail_reason)


def _badness(job: JobSeen) -> int:
    """Ended badly before not yet ended before completed."""
    if not job.ended:
        return 1
    return 0 if job.status.strip().casefold() == "completed" else 2
