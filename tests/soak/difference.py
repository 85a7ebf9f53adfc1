"""What a process knows and the fold of its journal does not, or the other way round."""

from msgspec.structs import replace

from orchestrator.model.run.run import Run
from orchestrator.model.run.status import WaveStatus


def difference(live: Run, folded: Run) -> str | None:
    """What the fold of the journal says otherwise than the live state."""
    if _drawn(live) != _drawn(folded):
        return f"waves: live {live.waves}, folded {folded.waves}"
    for name in ("hold", "rejects", "known_rejects", "workflows", "ended", "commands_seen", "upgrade_calls"):
        if getattr(live, name) != getattr(folded, name):
            return f"{name}: live {getattr(live, name)}, folded {getattr(folded, name)}"
    for key, state in folded.states.items():
        if live.states.get(key) != state:
            return f"{key}: live {live.states.get(key)}, folded {state}"
    return None if live.tally.fleet == folded.tally.fleet else f"{live.tally.fleet} {folded.tally.fleet}"


def _drawn(run: Run) -> list[WaveStatus]:
    """Its waves. The order of records counts within a target only, so a wave's targets may come in any."""
    return [replace(wave, targets=sorted(wave.targets)) for wave in run.waves.values()]
