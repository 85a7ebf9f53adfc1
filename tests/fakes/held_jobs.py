"""Jobs of the simulated cloud that end when a test says so, and not by the clock: no busy machine can be too late."""

from orchestrator.simulator.cloud import SimulatedCloud
from orchestrator.simulator.profile import JobFate, ScriptedFate
from orchestrator.simulator.server import utc_now
from orchestrator.simulator.world.world import FOREVER


def held() -> list[ScriptedFate]:
    """The `fates` of a profile under which every first upgrade of a proxy runs until `end_jobs`."""
    return [ScriptedFate(fate=JobFate(end="hangs"))]


def end_jobs(cloud: SimulatedCloud) -> None:
    """Complete what runs, and hold nothing that starts from now on. No upgrade call may be under way."""
    fates: object = cloud.profile.fates
    assert isinstance(fates, list), "the jobs of this cloud are not held"
    fates.clear()
    end_those_that_run(cloud)


def end_those_that_run(cloud: SimulatedCloud) -> None:
    """Complete what runs, and go on to hold what starts from now on."""
    now = utc_now().timestamp()
    for job in cloud.world.jobs.values():
        if job.ends_at == FOREVER and job.proxy is not None:
            job.proxy.flips.append((now, job.proxy.latest_version))
            job.ends_at = now
