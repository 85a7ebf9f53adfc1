"""Ask one gate once, and record what that changes."""

from datetime import timedelta
from functools import partial

from orchestrator.errors import place_of
from orchestrator.executor.decide.bench import GATE
from orchestrator.executor.decide.opening.gates import judge_answer
from orchestrator.executor.health.ask_cloud_eye import ask_cloud_eye
from orchestrator.executor.session import Session
from orchestrator.executor.supervise import Service
from orchestrator.model.plan.health_gate import GateFinding, GateQuestion, HealthGate
from orchestrator.model.record.gate_record import GateAnswered


def gate_question(session: Session, gate: HealthGate) -> Service:
    """The task that asks a gate; it counts as being asked from now on."""
    watch = session.rollout.watches[gate.name]
    watch.asking, watch.asked_at = True, session.clock.now()
    return Service(f"gate {gate.name}", partial(ask_gate, session, gate))


async def ask_gate(session: Session, gate: HealthGate) -> None:
    """Ask; a question that fails in this program is one without an answer, and touches no other gate."""
    watch = session.rollout.watches[gate.name]
    try:
        finding = await _finding(session, gate)
    except Exception as error:  # noqa: BLE001  # a bulkhead: the gate says what it is without an answer
        session.ledger.part_failed(f"gate {gate.name}", error)
        finding = GateFinding(answer="error", evidence=f"internal error: {place_of(error)}")
    now = session.clock.now()
    if watch.outdated:
        watch.asking = watch.outdated = False
        watch.asked_at = None
        session.ledger.wake()
        return
    judged = judge_answer(session.rollout, gate, finding, now)
    watch.asking, watch.passes = False, judged.passes
    watch.answered_at = now - timedelta(seconds=finding.age_s)
    if judged.changed or (judged.open and _awaited(session, gate)):
        session.ledger.note(
            GateAnswered(
                at=now,
                gate=gate.name,
                answer=finding.answer,
                open=judged.open,
                status=finding.status,
                value=finding.value,
                evidence=finding.evidence,
                again=judged.again or not judged.changed,
                age_s=finding.age_s,
            )
        )
    if judged.open:  # also when it was so before: its last answer may have been too old
        session.rollout.queue.opened((GATE, gate.name))
    session.ledger.wake()


def _awaited(session: Session, gate: HealthGate) -> bool:
    """Whether another host waits to hear that a gate is still open: those whose turn it has start by that alone."""
    return "start" in gate.at and bool(session.run.turns)


async def _finding(session: Session, gate: HealthGate) -> GateFinding:
    if gate.cloud_eye is not None and session.metrics is not None:
        return await ask_cloud_eye(session.metrics, session.run, gate, gate.cloud_eye)
    return await session.gates.ask(gate, _question(session, gate))


def _question(session: Session, gate: HealthGate) -> GateQuestion:
    run, wave = session.run, session.rollout.wave
    return GateQuestion(
        gate=gate.name,
        fleet=session.plan.name,
        run_id="" if run.started is None else run.started.run_id,
        wave=None if wave is None else wave.name,
        target_version=session.plan.target_version,
        upgraded=run.tally.fleet.standing["succeeded"],
        waiting=run.waiting,
    )
