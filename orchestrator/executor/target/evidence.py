"""What happened to a doubtful attempt: the rules of evidence, as one pure function over what was read.

Absence proves nothing by itself: it counts only in a list that was read completely and in which an accepted workflow
of ours was seen, so that we know that such jobs are listed there at all.
"""

from datetime import datetime, timedelta
from typing import TypeAlias

import msgspec
from msgspec import structs

from orchestrator.executor.scope.jobs.job_list import JobList, has_ended
from orchestrator.executor.target.doubt import Doubt, Sight
from orchestrator.model.reply.reply import DAMAGED, Job, same_id
from orchestrator.model.reply.version import at_least, same_version
from orchestrator.spoken import counted

#: How much earlier or later than it can have been, by the cloud's clock, a job of ours may seem to have been created.
CREATED_MARGIN = timedelta(minutes=5)

#: The `Date` header and the job times have full seconds only.
_ENDED_MARGIN = timedelta(seconds=2)


class Adopt(msgspec.Struct, frozen=True):
    """It happened, and these are its jobs. `named`: they say for which proxy; `listed`: they run on its instance."""

    workflow_ids: tuple[str, ...]
    evidence: str
    named: bool = False
    listed: bool = False


class Happened(msgspec.Struct, frozen=True):
    """It happened, but its job was not found within the doubt period."""

    version: str
    evidence: str


class NeverBegan(msgspec.Struct, frozen=True):
    """It did not happen, and may be sent again."""

    evidence: str


class Unknown(msgspec.Struct, frozen=True):
    """No conclusion yet.

    Attributes:
        began: only about its job and its end; that it happened is certain.
        jobs: each that could be it.
    """

    why: str
    began: bool = False
    jobs: tuple[str, ...] = ()


Conclusion: TypeAlias = Adopt | Happened | NeverBegan | Unknown


def weigh(doubt: Doubt, sight: Sight) -> Conclusion:
    """Draw the conclusion that the evidence allows; in every case of doubt, `Unknown`."""
    if sight.listing is not None:
        doubt = _with_names(doubt, sight.listing)
    jobs, gone = _possible(doubt, sight), _gone(doubt, sight)
    certain = [job for job in jobs if _is_candidate(doubt, job)]
    rivals = [job for job in jobs if job in certain or _puzzles(doubt, job)]
    if len(certain) == len(rivals) == 1 and not gone:
        job = certain[0]
        listed = same_id(job.instance_id, doubt.instance_id)
        return Adopt((job.job_id,), _describe(doubt, job), named=job.names(doubt.proxy_id), listed=listed)
    if sight.version is not None and at_least(sight.version.current_version, doubt.target_version):
        conclusion = _took_effect(doubt, sight, sight.version.current_version, jobs)
    else:
        conclusion = _never_began(doubt, sight, jobs, gone)
    if isinstance(conclusion, Unknown):
        return structs.replace(conclusion, jobs=tuple(job.job_id for job in jobs))
    return conclusion


def _with_names(doubt: Doubt, listing: JobList) -> Doubt:
    """The list itself says what jobs of ours are named, also when nobody has followed one yet."""
    names = {job.name for job in listing.jobs if job.key in doubt.presence and job.name}
    return structs.replace(doubt, job_names=names.union(doubt.job_names))


def _took_effect(doubt: Doubt, sight: Sight, version: str, jobs: list[Job]) -> Conclusion:
    running = None if sight.listing is None else _running_elsewhere(doubt, sight.listing)
    if running is not None:
        return Unknown(
            f"it runs {version}; job {running.job_id} runs on {_place(doubt, running)}, its end is waited for",
            began=True,
        )
    if not doubt.period_over:
        return Unknown(f"it runs {version}; its job is still looked for", began=True)
    return Happened(version, f"version only, workflow_id not recovered{_passed_over(doubt, jobs)}")


def _passed_over(doubt: Doubt, jobs: list[Job]) -> str:
    """The jobs that could be it and were not adopted, with what speaks against the only one; empty without any."""
    if not jobs:
        return ""
    why = f"was not taken for it: {_untimely(doubt, jobs[0])}" if len(jobs) == 1 else "none was taken for it"
    return f"; {_could_be_it(doubt, jobs, [])}, and {why}"


def _untimely(doubt: Doubt, job: Job) -> str:
    """Why the only job was not adopted: mostly for its times, which a wrong clock moves."""
    if _is_in_time(doubt, job):
        return "nothing shows that it is"
    first, last = doubt.earliest - CREATED_MARGIN, doubt.latest + CREATED_MARGIN
    times = f"created {job.created_at or 'at no known time'}, ended {job.ended_at or 'at no known time'}"
    return f"what was sent can have begun it from {first} to {last}, and it was {times}"


def _never_began(doubt: Doubt, sight: Sight, jobs: list[Job], gone: list[str]) -> Conclusion:
    """It may be sent again only if no condition speaks against it."""
    if sight.listing is None or not sight.listing.complete:
        return Unknown("the job list could not be read completely", began=doubt.accepted)
    against = _jobs_against(doubt, sight.listing, jobs, gone) or _proxy_against(doubt, sight)
    if against is None and sight.unexplained:
        against = sight.unexplained[0]
    if against is not None:
        return Unknown(against, began=doubt.accepted)
    return NeverBegan(_absence(doubt, sight.listing))


def _jobs_against(doubt: Doubt, listing: JobList, jobs: list[Job], gone: list[str]) -> str | None:
    """What in the job list speaks against sending again."""
    if jobs or gone:
        return _could_be_it(doubt, jobs, gone)
    if doubt.accepted:
        return "it was accepted without a workflow_id, and no job of it was found"
    if foreign := _running_elsewhere(doubt, listing):
        return f"job {foreign.job_id} runs on {_place(doubt, foreign)}; its end is waited for"
    if listing.keys().isdisjoint(doubt.presence):
        return "the job list shows no accepted workflow of ours, so absence proves nothing"
    return None


def _could_be_it(doubt: Doubt, jobs: list[Job], gone: list[str]) -> str:
    if len(jobs) > 1:
        return f"several jobs could be it: {', '.join(job.job_id + _told(doubt, job.key) for job in jobs)}"
    if jobs:
        job = jobs[0]
        return f"job {job.job_id or 'without an id'} on {_place(doubt, job)} could be it{_told(doubt, job.key)}"
    return f"job {gone[0] or 'without an id'} could be it, and is shown no more{_told(doubt, gone[0])}"


def _told(doubt: Doubt, key: str) -> str:
    """Who else in the state folder has the id, in brackets; empty for nobody."""
    if key not in doubt.elsewhere:
        return ""
    return f" ({doubt.elsewhere[key] or 'another run has that workflow_id, and its journal does not tell for which'})"


def _proxy_against(doubt: Doubt, sight: Sight) -> str | None:
    """What in the state of the proxy speaks against sending again."""
    if sight.version is None:
        return "the version could not be read"
    if not same_version(sight.version.current_version, doubt.source_version):
        return f"it runs {sight.version.current_version}"
    if sight.health is None or not sight.health.active:
        return f"the proxy is {sight.health.status if sight.health else 'unreadable'}, not ACTIVE"
    return None if doubt.period_over else "nothing of it was seen, at a look within the doubt period"


def _absence(doubt: Doubt, listing: JobList) -> str:
    shown = min(listing.keys().intersection(doubt.presence))
    return (
        f"no job of it in the complete list of {counted(len(listing.jobs), 'job')}, which shows our {shown}; "
        f"the proxy still runs {doubt.source_version} and is ACTIVE"
    )


def _possible(doubt: Doubt, sight: Sight) -> list[Job]:
    """Jobs that bear on the question: not ours, not ended before, and like an upgrade of the proxy.

    They are on this instance or on none; one that names the proxy counts wherever it is listed.
    """
    listing = sight.listing
    listed = () if listing is None else _listed(doubt, listing)
    named = {job.key: job for job in sight.named}
    alike = {job.key: job for job in listed if _resembles(doubt, job)}
    jobs = (named | alike).values()
    return [job for job in jobs if not _is_anothers(doubt, job) and not _is_over(doubt, job)]


def known_elsewhere(doubt: Doubt, sight: Sight) -> set[str]:
    """Ids that are known as another upgrade's, of jobs here that may be this one all the same by what they are."""
    jobs = (*(() if sight.listing is None else _listed(doubt, sight.listing)), *sight.named)
    shown = {job.key for job in jobs if not _is_over(doubt, job)}
    return {key for key in shown.union(doubt.suspects) if key in doubt.ours}


def _listed(doubt: Doubt, listing: JobList) -> list[Job]:
    return [*listing.about(doubt.instance_id, doubt.proxy_id), *listing.of_no_instance()]


def _is_anothers(doubt: Doubt, job: Job) -> bool:
    """Whether it is another upgrade of ours: by its id, unless what another run tells of that does not fit the job."""
    if job.key not in doubt.elsewhere:
        return job.key in doubt.ours
    told = doubt.elsewhere[job.key]
    return told is not None and told.is_of(job, doubt.earliest)


def _gone(doubt: Doubt, sight: Sight) -> list[str]:
    """Jobs that could be it once, and that nothing shows or explains any more."""
    listed = () if sight.listing is None else sight.listing.jobs
    shown = {job.key for job in (*listed, *sight.named)}
    return sorted(each for each in set(doubt.suspects) - shown if not _was_anothers(doubt, each))


def _was_anothers(doubt: Doubt, key: str) -> bool:
    """The same of a job that is shown no more."""
    if key not in doubt.elsewhere:
        return key in doubt.ours
    told = doubt.elsewhere[key]
    return told is not None and told.may_be_on(doubt.instance_id, doubt.earliest)


def _resembles(doubt: Doubt, job: Job) -> bool:
    named = job.names(doubt.proxy_id) or job.name in doubt.job_names
    return named or _illegible(job) or _is_suspect(doubt, job) or job.key in doubt.elsewhere


def _is_suspect(doubt: Doubt, job: Job) -> bool:
    return job.key in doubt.suspects


def _puzzles(doubt: Doubt, job: Job) -> bool:
    """Whether a job may be it although it does not look so: its row is not to be read, or says what cannot be."""
    return job.created_at is None or _illegible(job) or _is_elsewhere(doubt, job) or job.key in doubt.elsewhere


def _is_elsewhere(doubt: Doubt, job: Job) -> bool:
    return bool(job.instance_id) and not same_id(job.instance_id, doubt.instance_id)


def _illegible(job: Job) -> bool:
    """Whether what would tell it from an upgrade is damaged or missing: it may be ours, and is not shown to be."""
    return DAMAGED in f"{job.name} {job.extend_fields}" or not (job.name or job.proxies)


def _is_candidate(doubt: Doubt, job: Job) -> bool:
    """Whether this job, which resembles the upgrade, is it if it is the only one."""
    if not job.job_id or _is_elsewhere(doubt, job) or job.key in doubt.elsewhere:
        return False
    if not (job.instance_id or job.names(doubt.proxy_id)) or not _is_in_time(doubt, job):
        return False
    return job.names(doubt.proxy_id) or _is_by_name(doubt, job)


def _is_in_time(doubt: Doubt, job: Job) -> bool:
    """By the likeliest reading of the clock; by another one it may still forbid a call."""
    if job.created_at is None or ended_before(job, doubt.earliest):
        return False
    return doubt.earliest - CREATED_MARGIN <= job.created_at <= doubt.latest + CREATED_MARGIN


def _is_by_name(doubt: Doubt, job: Job) -> bool:
    """Whether its name, which any upgrade of the instance has, is enough."""
    if job.key in doubt.shown_before or (doubt.named and job.key not in doubt.named):
        return False
    alone = doubt.alone and job.key not in doubt.claimed
    return alone and not job.proxies and not _illegible(job)


def _is_over(doubt: Doubt, job: Job) -> bool:
    """Whether it had ended at the intent by every reading of the clock. What could be it since then is not believed to.

    A reading that was wrong when it was made may be right now, and the other way round.
    """
    return not _is_suspect(doubt, job) and ended_before(job, doubt.not_before)


def ended_before(job: Job, intent: datetime) -> bool:
    """Whether it had ended at an instant. An end before its own beginning is no time, and is not believed."""
    if job.ended_at is None or (job.created_at is not None and job.ended_at < job.created_at - _ENDED_MARGIN):
        return False
    return job.ended_at < intent - _ENDED_MARGIN


def _running_elsewhere(doubt: Doubt, listing: JobList) -> Job | None:
    """Any other job that runs on the instance, or for the proxy."""
    jobs = listing.about(doubt.instance_id, doubt.proxy_id)
    return next((job for job in jobs if not _is_anothers(doubt, job) and not has_ended(job)), None)


def _describe(doubt: Doubt, job: Job) -> str:
    why = "its extend_fields name the proxy" if job.names(doubt.proxy_id) else f"its name is {job.name}, as ours have"
    return f"job {job.job_id} on the instance, created {job.created_at}, status {job.status}: {why}"


def _place(doubt: Doubt, job: Job) -> str:
    return f"instance {job.instance_id} (it names the proxy)" if _is_elsewhere(doubt, job) else "the instance"
