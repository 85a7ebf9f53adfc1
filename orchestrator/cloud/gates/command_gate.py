"""A gate that is a program: 0 passes, 1 fails, anything else is no answer."""

from collections.abc import Mapping

import msgspec

from orchestrator.cloud.programs.run_program import ProgramFailed, run_program
from orchestrator.cloud.without_secrets import without_secrets
from orchestrator.model.plan.health_gate import GateAnswer, GateFinding, GateQuestion
from orchestrator.model.plan.plan import Plan

_ANSWERS: Mapping[int, GateAnswer] = {0: "passes", 1: "fails"}


async def ask_command(
    command: tuple[str, ...], question: GateQuestion, plan: Plan, environ: Mapping[str, str], timeout_s: float
) -> GateFinding:
    """Run it with the question as JSON on its standard input; what it prints, to either output, is the evidence."""
    told = msgspec.json.encode(question)
    try:
        ran = await run_program(command, without_secrets(plan, environ), timeout_s=timeout_s, told=told, words=True)
    except ProgramFailed as failed:
        return GateFinding(answer="error", evidence=f"{command[0]} {failed}")
    printed = ran.output.decode("utf-8", "replace").strip()
    answer = _ANSWERS.get(ran.status, "error")
    evidence = printed if answer != "error" else f"ended with {ran.status} {printed}"
    return GateFinding(answer=answer, status=ran.status, evidence=evidence)
