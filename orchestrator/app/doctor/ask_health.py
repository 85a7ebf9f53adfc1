"""Whether the gates of a plan answer, and the metrics that it wants can be read. It changes nothing."""

from collections.abc import Iterator, Mapping, Sequence

from orchestrator.app.doctor.diagnosis import Diagnosis
from orchestrator.app.preview.ask_gates import ask_gates
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.executor.ports import Clock, MetricsApi
from orchestrator.executor.scope.metrics.metric_reader import PERMISSION
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.plan.metric import IMPACT_METRICS, Series
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.target import Target
from orchestrator.model.reply.reply import Answered, in_words
from orchestrator.model.run.run import Run
from orchestrator.planner.preview.preview_values import GatePreview

#: So far back a metric is asked for, minutes.
_BACK = 5


async def ask_health(
    plan: Plan,
    targets: Sequence[Target],
    scopes: Mapping[str, ScopeCalls],
    environ: Mapping[str, str],
    clock: Clock,
    secrets: Secrets,
) -> list[Diagnosis]:
    """One diagnosis for each gate that can be asked now, and one for the metrics of each scope, if any are wanted.

    `secrets` are those that the scopes have learned.

    Raises:
        PlanError: `http.ca_file` cannot be read.
    """
    gates = list(_gates(await ask_gates(plan, environ, clock, secrets, _beginning(plan, targets))))
    eyes = [(calls, calls.eye) for calls in scopes.values() if calls.eye is not None]
    return [*gates, *[await _metrics(plan, calls, eye, targets, clock) for calls, eye in eyes]]


def _beginning(plan: Plan, targets: Sequence[Target]) -> Run:
    waves, scopes = [wave.name for wave in plan.waves], [scope.name for scope in plan.scopes]
    return Run(targets, waves=waves, scopes=scopes, failures=plan.failures)


def _gates(asked: Sequence[GatePreview]) -> Iterator[Diagnosis]:
    for gate in asked:
        about, said = f"gate {gate.name}", gate.evidence or "no words"
        match gate.answer:
            case "passes":
                yield Diagnosis(about, "answer", "well", f"passes: {said}")
            case "fails":
                remedy = "nothing starts that it concerns until it passes; find out what it says, or wait"
                yield Diagnosis(about, "answer", "wrong", f"fails: {said}", remedy)
            case "error":
                remedy = "try its URL, program or query by hand from this host, with the same token"
                yield Diagnosis(about, "answer", "wrong", f"no answer: {said}", remedy)
            case None:
                yield Diagnosis(about, "answer", "untried", said)


async def _metrics(
    plan: Plan, calls: ScopeCalls, eye: MetricsApi, targets: Sequence[Target], clock: Clock
) -> Diagnosis:
    """Whether one sample of one proxy can be read."""
    about, check = f"scope {calls.name}", "metrics"
    first = next((target for target in targets if target.scope == calls.name), None)
    if not calls.open or first is None:
        why = "the scope cannot be used" if first is not None else "no proxy of it is written out"
        return Diagnosis(about, check, "untried", why)
    failure = await eye.prepare()
    nodes = failure or await eye.nodes(first.instance_id)
    if not isinstance(nodes, Answered):
        return Diagnosis(about, check, "untried", f"the nodes of {first.proxy_id} cannot be read: {in_words(nodes)}")
    now_s, grain_s = clock.now().timestamp() + (calls.cloud_time.offset_s or 0.0), plan.cloud_eye.grain_s
    asked = [Series(IMPACT_METRICS[0], first.proxy_id, node) for node in nodes.value.get(first.proxy_id, ())]
    reply = await eye.samples(asked, now_s - _BACK * grain_s, now_s)
    if not isinstance(reply, Answered):
        remedy = f"allow {PERMISSION}, or leave out impact and gates with cloud_eye, which have no answer without it"
        return Diagnosis(about, check, "wrong", f"cannot be read: {in_words(reply)}", remedy)
    if not any(reply.value.values()):
        remedy = "compare cloud_eye.namespace with what the console of Cloud Eye shows for this proxy"
        return Diagnosis(
            about, check, "wrong", f"there is none of {first.proxy_id} in {plan.cloud_eye.namespace}", remedy
        )
    return Diagnosis(about, check, "well", f"those of {first.proxy_id} are there")
