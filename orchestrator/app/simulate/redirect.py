"""A plan pointed at an embedded simulated cloud that holds its targets, and some for each `discover` to find."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from msgspec import structs

from orchestrator.app.simulate.simulated_fleet import REGION, simulated_targets
from orchestrator.errors import UsageError
from orchestrator.model.plan.auth import Auth
from orchestrator.model.plan.health_gate import HealthGate
from orchestrator.model.plan.metric import CloudEye
from orchestrator.model.plan.plan import Metrics, Plan, Scope
from orchestrator.model.plan.target import Target
from orchestrator.simulator.cloud import SimulatedCloud
from orchestrator.simulator.config import SimulatorConfig
from orchestrator.simulator.embedded import embedded_cloud
from orchestrator.simulator.profiles import SettingError
from orchestrator.spoken import spoken

#: What part of `follow.timeout` the slowest upgrade of a rehearsal should take, so that each ends in time.
_IN_TIME = 0.8
_TOKEN_VARIABLE = "ORCHESTRATOR_SIMULATED_TOKEN"  # noqa: S105  # the name of a variable


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
            yield _pointed_at(address.url, hastened(plan, speed)), {_TOKEN_VARIABLE: address.token}
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


def _pointed_at(url: str, plan: Plan) -> Plan:
    """It tells nobody: who is told of real runs must not take this for one."""
    scopes = tuple(_scope_at(url, scope) for scope in plan.scopes)
    eye = structs.replace(plan.cloud_eye, endpoint=url, namespace=CloudEye().namespace)
    return structs.replace(plan, scopes=scopes, cloud_eye=eye, metrics=Metrics(), notify=())


def _scope_at(url: str, scope: Scope) -> Scope:
    return structs.replace(
        scope,
        region=scope.region or REGION,
        endpoint=url,
        iam_endpoint=url,
        vpc_endpoint=url,
        auth=Auth(token_env=_TOKEN_VARIABLE),
    )


def hastened(plan: Plan, speed: float) -> Plan:
    """The plan with its own durations divided by `speed`."""
    follow, retry = plan.follow, plan.retry
    return structs.replace(
        plan,
        waves=tuple(structs.replace(wave, soak_s=wave.soak_s / speed) for wave in plan.waves),
        gates=tuple(_hastened_gate(gate, speed) for gate in plan.gates),
        cloud_eye=structs.replace(plan.cloud_eye, grain_s=plan.cloud_eye.grain_s / speed),
        follow=structs.replace(
            follow,
            poll_s=follow.poll_s / speed,
            timeout_s=follow.timeout_s / speed,
            expected_s=follow.expected_s / speed,
            verify_for_s=follow.verify_for_s / speed,
        ),
        retry=structs.replace(
            retry,
            backoff_s=retry.backoff_s / speed,
            max_backoff_s=retry.max_backoff_s / speed,
            busy_s=retry.busy_s / speed,
            busy_for_s=retry.busy_for_s / speed,
            resend_after_s=retry.resend_after_s / speed,
        ),
    )


def _hastened_gate(gate: HealthGate, speed: float) -> HealthGate:
    """A gate that is asked more often; its time-out stays, for what it asks is real."""
    hold_after_s = None if gate.hold_after_s is None else gate.hold_after_s / speed
    eye = gate.cloud_eye and structs.replace(gate.cloud_eye, over_s=gate.cloud_eye.over_s / speed)
    return structs.replace(gate, every_s=gate.every_s / speed, hold_after_s=hold_after_s, cloud_eye=eye)
