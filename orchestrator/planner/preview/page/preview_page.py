"""The preview as one HTML file that loads nothing: what would happen, for a change board and its ticket."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from msgspec import Struct

from orchestrator.model.plan.plan import Plan
from orchestrator.page.shell import drawn, environment
from orchestrator.planner.preview.audit_text import audit_lines
from orchestrator.planner.preview.forecast_values import Rehearsed, WaveTimes
from orchestrator.planner.preview.preview_text import (
    head_lines,
    left_out_words,
    number_lines,
    risk_words,
    step_words,
    wave_words,
)
from orchestrator.planner.preview.preview_values import Preview

#: So many proxies are all listed; of more, some of each group.
ROWS = 5000
_SOME = 20
_WIDTH = 1000.0


class WaveBar(Struct, frozen=True):
    """A wave in the forecast: from its typical start to its typical end, and to the end that few runs exceed."""

    times: WaveTimes
    x: float
    width: float
    late: float


def preview_chunks(
    preview: Preview, plan: Plan, *, simulated: bool = False, command: str | None = None
) -> Iterator[bytes]:
    """The preview as a page.

    Args:
        preview: what would happen.
        plan: what the run follows.
        simulated: whether a simulated cloud answered.
        command: what starts it; None where nothing would start.
    """
    made = environment("orchestrator.planner.preview.page")
    waves = partial(wave_words, rehearsed=preview.rehearsed)
    words = {"wave_words": waves, "left_out_words": left_out_words, "risk_words": risk_words}
    made.globals |= {"step": step_words, **words}
    return drawn(made, "preview.html.jinja", {**_values(preview, plan), "simulated": simulated, "command": command})


def _values(preview: Preview, plan: Plan) -> dict[str, Any]:
    verdict, *state = head_lines(preview)
    return {
        "preview": preview,
        "plan": plan,
        "verdict": verdict,
        "state": state,
        "numbers": list(number_lines(preview)),
        "audit": list(audit_lines(preview.audit)) if preview.audit else [],
        "bars": _bars(preview.forecast) if preview.forecast else [],
        "most": None if _listed(preview) <= ROWS else _SOME,
    }


def _listed(preview: Preview) -> int:
    sent = sum(len(group.targets) for wave in preview.waves for group in wave.groups)
    return sent + sum(len(group.targets) for group in preview.left_out)


def _bars(forecast: Rehearsed) -> list[WaveBar]:
    timed = [(each, each.starts_s, each.ends_s) for each in forecast.waves]
    whole = max((ends.p95 for _each, _starts, ends in timed if ends), default=0.0) or 1.0
    scale = _WIDTH / whole
    return [
        WaveBar(
            each,
            round(starts.p50 * scale, 1),
            round(max(2.0, (ends.p50 - starts.p50) * scale), 1),
            round(max(0.0, (ends.p95 - ends.p50) * scale), 1),
        )
        for each, starts, ends in timed
        if starts and ends
    ]
