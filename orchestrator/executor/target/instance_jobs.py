"""Classifies jobs that run on an instance: foreign, that of another upgrade of ours, or perhaps our own. Pure."""

from collections.abc import Collection, Container, Iterator, Sequence

from orchestrator.executor.scope.jobs.job_list import JobList, has_ended
from orchestrator.executor.target.evidence import ended_before
from orchestrator.model.record.moment import Moment
from orchestrator.model.reply.reply import Job
from orchestrator.model.run.run import Run
from orchestrator.model.run.state import TargetState

#: A new job may not be found for so long: "several seconds", says the page of ShowGaussMySqlJobInfo. One that takes no
#: longer than that is over by the time it should be.
_UNSEEN_S = 60.0


def foreign_job(listing: JobList, state: TargetState, run: Run) -> Job | None:
    """A job that runs on the target's instance, or names it, and is nobody's of ours.

    A job that matches an attempt of ours under way or in doubt, whose id is not known yet, is not foreign.
    """
    unknown = [other for other in run.unknown_on(state.target.instance_id) if other.is_open]
    names = _names(listing, state, run) if unknown else set()
    return next((job for job in _unclaimed(listing, state, run) if not _resembles(job, unknown, names)), None)


def resurfaced_job(listing: JobList, state: TargetState, run: Run, ours: Container[str]) -> Job | None:
    """A job that may be what an attempt of this very target has started, although it was not executed, or disproved.

    After a doubtful attempt a name as ours have is enough; else the job must name the proxy. It may wait, and it may
    have ended since.

    Args:
        listing: of jobs that run, or of all that were created since about the first attempt.
        state: of the target, which has been attempted.
        run: as it stands.
        ours: workflows of the state folder, of any run and fleet.
    """
    names = _names(listing, state, run) if state.doubtful_from is not None else set()
    began = run.timeline.earliest(state.attempts[0].sent, state.target.scope)
    jobs = (job for job in listing.about(state.target.instance_id, state.key) if not ended_before(job, began))
    unknown = (job for job in jobs if job.key not in run.workflows and job.key not in ours)
    return next((job for job in unknown if _resembles(job, [state], names)), None)


def ours_running(listing: JobList, state: TargetState, run: Run, expected_s: float) -> int:
    """How many upgrades of ours run on the target's instance, with those that may be too new to be listed."""
    running = {job.key for job in listing.of_instance(state.target.instance_id) if not has_ended(job)}
    accepted = run.accepted_on.of(state.target.instance_id)

    def age_s(since: Moment) -> float:
        return run.timeline.elapsed_s(since, listing.asked_at, state.target.scope)

    unseen = (workflow_id for workflow_id, since in accepted.items() if age_s(since) < min(_UNSEEN_S, expected_s))
    return len(running.intersection(accepted).union(unseen))


def _unclaimed(listing: JobList, state: TargetState, run: Run) -> Iterator[Job]:
    """Jobs that run on the instance, or for the proxy, and are not known to be ours."""
    for job in listing.about(state.target.instance_id, state.key):
        if not has_ended(job) and job.key not in run.workflows:
            yield job


def _names(listing: JobList, state: TargetState, run: Run) -> set[str | None]:
    """How upgrades of ours are named in this scope, as far as has been seen."""
    listed = {job.name for job in listing.jobs if job.key in run.workflows}
    return listed | run.job_names.get(state.target.scope, set())


def _resembles(job: Job, targets: Sequence[TargetState], names: Collection[str | None]) -> bool:
    """Whether a job names one of these targets, or is named as upgrades of ours are."""
    return job.name in names or any(job.names(state.key) for state in targets)
