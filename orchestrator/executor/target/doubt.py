"""A doubtful attempt, and what one look brought: what the evidence is weighed from."""

from collections.abc import Collection, Container, Mapping
from datetime import datetime

import msgspec

from orchestrator.executor.scope.jobs.job_list import JobList
from orchestrator.model.learned.told_elsewhere import ToldElsewhere
from orchestrator.model.reply.reply import Job, ProxyHealth, ProxyVersion


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """One target whose attempt may or may not have started an upgrade. Ids of jobs are as they are compared.

    Attributes:
        earliest: the first doubtful intent, in the cloud's time at that moment.
        latest: the end of the doubt period from the latest intent, in the cloud's time: nothing of ours began later.
        not_before: the same as `earliest` by that reading of the cloud's clock which puts it first: any may be wrong.
        suspects: jobs that could be it when they were last seen.
        ours: every workflow_id known to this state folder that is not open to be this one's.
        claimed: workflows open to be its own that another target of the instance has: its name alone tells nothing.
        presence: accepted workflow ids of this scope, by which a list shows that it lists such jobs.
        job_names: names that jobs of ours were seen to have in this scope.
        alone: no other target of ours is in doubt on the instance.
        named: ids that its doubtful answers named: by its name alone no other job is it.
        shown_before: jobs that a list had shown before its first attempt.
        accepted: an entry said ACCEPT, so it happened, whatever else is found.
        period_over: the doubt period has passed.
        elsewhere: those of `ours` that another run has and that are seen here, with what its journal tells of them;
            None when it tells nothing. The id alone does not say that they are not its own.
    """

    proxy_id: str
    instance_id: str
    source_version: str
    target_version: str
    earliest: datetime
    latest: datetime
    not_before: datetime
    suspects: Collection[str]
    ours: Container[str]
    claimed: Collection[str]
    presence: Collection[str]
    job_names: Collection[str]
    alone: bool
    accepted: bool
    period_over: bool
    elsewhere: Mapping[str, ToldElsewhere | None] = {}
    named: Collection[str] = ()
    shown_before: Container[str] = ()


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """What one look brought; None where a read failed.

    Attributes:
        named: jobs on the instance that answers to other questions named, whether or not the list shows them.
        unexplained: what such answers accepted that the cloud does not show, in words.
    """

    listing: JobList | None
    version: ProxyVersion | None
    health: ProxyHealth | None
    named: tuple[Job, ...] = ()
    unexplained: tuple[str, ...] = ()
