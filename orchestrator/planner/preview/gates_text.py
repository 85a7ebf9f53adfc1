"""What the gates of a plan say now, in the words of a preview, and what they keep from starting."""

from orchestrator.planner.preview.preview_values import GatePreview, Preview


def when_words(preview: Preview) -> str:
    """What starts wait for, by what the gates of the plan say now."""
    shut = shut_gates(preview)
    some = [gate.name for gate in preview.gates if gate.keeps == "some"]
    when = f"once {_open(shut)}" if shut else "as soon as `run` is called"
    return f"{when}, but what is selected by it not before {_open(some)}" if some else when


def shut_gates(preview: Preview) -> list[str]:
    """The gates that keep everything from starting by what they say now."""
    return [gate.name for gate in preview.gates if gate.keeps == "all"]


def _open(gates: list[str]) -> str:
    return f"gate {gates[0]} opens" if len(gates) == 1 else f"gates {', '.join(gates[:-1])} and {gates[-1]} open"


def gate_words(gate: GatePreview) -> str:
    """What one gate said when it was asked for the preview."""
    said = f", {gate.evidence}" if gate.evidence else ""
    words = {None: "not asked", "passes": "passes", "fails": "FAILS", "error": "NO ANSWER"}[gate.answer]
    return f"gate {gate.name} (at {' and '.join(gate.at)}): {words}{said}"
