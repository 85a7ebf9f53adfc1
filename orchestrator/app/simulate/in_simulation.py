"""A plan as a simulated cloud has it: pointed there, and its durations divided by the cloud's speed. Pure."""

from msgspec import structs

from orchestrator.app.simulate.simulated_fleet import REGION
from orchestrator.model.plan.auth import Auth
from orchestrator.model.plan.health_gate import HealthGate
from orchestrator.model.plan.metric import CloudEye
from orchestrator.model.plan.plan import Metrics, Plan, Scope

TOKEN_VARIABLE = "ORCHESTRATOR_SIMULATED_TOKEN"  # noqa: S105  # the name of a variable

#: A speed is as exact as a person writes it; what it is worked out from has passed through a division.
_DIGITS = 9


def as_simulated(plan: Plan, session: Plan) -> Plan:
    """A plan file as it would have been in the simulated cloud of a session: what differs then was edited.

    Args:
        plan: as the file has it.
        session: as a simulated session had it.
    """
    url = next((scope.endpoint for scope in session.scopes if scope.endpoint), None)
    speed = float(f"{plan.cloud_eye.grain_s / session.cloud_eye.grain_s:.{_DIGITS}g}")
    return plan if url is None else in_simulation(plan, url, speed)


def in_simulation(plan: Plan, url: str, speed: float) -> Plan:
    """The plan, with the simulated cloud at `url` in the place of every other, at its speed."""
    return _pointed_at(url, hastened(plan, speed))


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
        auth=Auth(token_env=TOKEN_VARIABLE),
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
