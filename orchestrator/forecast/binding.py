"""What holds a rollout up at an instant: the same limits and openings that the decision looked at, by name."""

from orchestrator.executor.decide.limits import room, scope_room
from orchestrator.executor.decide.openings import start_opening
from orchestrator.forecast.environment import Scene
from orchestrator.model.plan import Plan

#: What ends at an instant of its own, whatever is under way.
CLOSED = frozenset({"the window", "the freeze", "the soak"})

#: What only the end of an upgrade, or of a wait, can change.
SLOW = (
    "in_flight",
    "ramp",
    "the strict failures",
    "the soak",
    "the window",
    "the freeze",
    "the end of",
    "per_instance",
)


def binding(scene: Scene) -> str:
    """What must change before more can start."""
    rollout, now = scene.rollout, scene.agenda.now
    wave = rollout.wave
    if wave is None:
        return "nothing"
    if scene.run.waves[wave.name].soaks_until is not None:
        return "the soak"
    if rollout.queue.exhausted(wave.name):
        return f"the end of wave {wave.name}"
    gate = start_opening(rollout, now)
    if not gate.open:
        return "the freeze" if gate.why == "frozen" else "the window"
    free = room(rollout)
    if free.free <= 0:
        return _rate(scene) or _plain(free.why)
    return _rate(scene) or _of_targets(scene)


def _rate(scene: Scene) -> str | None:
    name = scene.crowded
    if name is None:
        return None
    rate = f"rate {scene.scopes[name].turnstile.pacer.nominal:g}/s"
    return rate if len(scene.scopes) == 1 else f"{rate} of scope {name}"


def _plain(why: str) -> str:
    """The name of a limit, without the number that moves."""
    return "ramp" if why.startswith("ramp") else why.replace("strict, ", "the strict ", 1)


def _of_targets(scene: Scene) -> str:
    """There is room, but every target that waits is held up by something of its own."""
    plan, rollout = scene.plan, scene.rollout
    if plan.windows == "instance" and rollout.queue.next_opening() is not None:
        return "the window"
    full = [name for name in scene.scopes if rollout.queue.waits_in(name) and not scope_room(rollout, name)]
    if full:
        return f"scope {full[0]}"
    return _of_neighbours(plan)


def _of_neighbours(plan: Plan) -> str:
    if plan.follow.to == "accepted":
        return "busy instances"
    return f"per_instance {plan.limits.per_instance}" + (" or per_label" if plan.limits.per_label else "")
