"""Jobs that answers named although they belong to another question. Before a doubt ends, each is looked up by its id.

A job list need not show every job. What an answer accepted, and nobody owns, may be the very upgrade in doubt.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec

from orchestrator.executor.session import Session
from orchestrator.model.reply.reply import Job, key_of, same_id
from orchestrator.model.run.run import Run
from orchestrator.model.run.state import TargetState


class Named(msgspec.Struct, frozen=True):
    """What the looks brought.

    Attributes:
        jobs: those that run on the target's instance, or on one that the cloud does not tell.
        unexplained: in words, what answers accepted that may be this target's, and that the cloud does not show.
    """

    jobs: tuple[Job, ...]
    unexplained: tuple[str, ...]


async def read_named(state: TargetState, session: Session, *, after: datetime) -> Named | None:
    """Every workflow that an answer of this run named and that nobody owns, or another and this one were given.

    As it was after an instant.

    None when a look failed.
    """
    run, instance_id = session.run, state.target.instance_id
    strays = {key_of(entry.workflow_id) for entry in state.accepted_astray if entry.workflow_id}
    nobodys = (run.astray.keys() | run.contested | strays) - run.workflows.keys() | state.shared
    found = await session.places(state).on(instance_id, nobodys, after=after)
    if found is None:
        return None
    jobs = tuple(
        job
        for job in found.values()
        if job is not None and (not job.instance_id or same_id(job.instance_id, instance_id))
    )
    return Named(jobs, tuple(_unexplained(state, run, found)))


def _unexplained(state: TargetState, run: Run, found: Mapping[str, Job | None]) -> Iterator[str]:
    """An answer to the target itself counts, and one to another that is about the target's instance."""
    mine = {key_of(entry.workflow_id) if entry.workflow_id else None for entry in state.accepted_astray}
    if None in mine:
        yield "an answer that names another instance accepted an upgrade without a workflow_id"
    for workflow_id, job in found.items():
        if job is None and (workflow_id in mine or same_id(run.astray.get(workflow_id), state.target.instance_id)):
            yield f"an answer accepted workflow {workflow_id}, which the cloud does not show"
