"""A plan pointed at an embedded simulated cloud that holds its targets, and some for each `discover` to find."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from orchestrator.app.simulate.in_simulation import TOKEN_VARIABLE, in_simulation
from orchestrator.app.simulate.simulated_fleet import simulated_targets
from orchestrator.errors import UsageError
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.target import Target
from orchestrator.simulator.cloud import SimulatedCloud
from orchestrator.simulator.config import SimulatorConfig
from orchestrator.simulator.embedded import embedded_cloud
from orchestrator.simulator.profiles import SettingError
from orchestrator.spoken import spoken

#: What part of `follow.timeout` the slowest upgrade of a rehearsal should take, so that each ends in time.
_IN_TIME = 0.8


@contextmanager
def simulated(
    plan: Plan,
    targets: Sequence[Target],
    *,
    seed: int,
    speed: float,
    faults: str,
    warn: Callable[[str], None] | None = None,
) -> Iterator[tuple[Plan, Mapping[str, str]]]:
    """The plan as it is to be run against the simulated cloud, and the environment that goes with it.

    Its durations are divided by `speed`, as the cloud's are; time-outs of HTTP are not, for the network is a real one.

    Args:
        plan: as it was written.
        targets: those that it writes out; those of `discover` are made up.
        seed: all chance follows from it.
        speed: divides durations.
        faults: name of a profile, or path of one.
        warn: called with why a rehearsal of upgrades would go worse than the real run; None where none are rehearsed.

    Raises:
        UsageError: an option cannot be used.
    """
    try:
        config = SimulatorConfig(
            seed=seed,
            speed=speed,
            faults=faults,
            target_version=plan.target_version,
            targets=tuple(simulated_targets(plan, targets, seed)),
        )
        with embedded_cloud(config) as address:
            if warn is not None and (words := _impatient_words(plan, address.cloud, speed)):
                warn(words)
            yield in_simulation(plan, address.url, speed), {TOKEN_VARIABLE: address.token}
    except SettingError as error:
        raise UsageError(f"--simulate: {error}") from error


def _impatient_words(plan: Plan, cloud: SimulatedCloud, speed: float) -> str:
    """That the plan gives up on simulated upgrades that are well; empty when it waits for each."""
    timeout_s, longest_s = plan.follow.timeout_s, cloud.longest_upgrade_s() * speed
    if plan.follow.to == "accepted" or timeout_s > longest_s:
        return ""
    node_s = cloud.profile.timing.node_s * timeout_s / longest_s * _IN_TIME
    return (
        f"simulated upgrades take up to {spoken(longest_s)}, and follow.timeout is {spoken(timeout_s)}: some that are"
        " well will be timed_out. The plan may be right for the real cloud; rehearse it with faster upgrades:"
        f" --faults FILE, with `timing: {{node_s: {node_s:.3g}}}` in it"
    )
