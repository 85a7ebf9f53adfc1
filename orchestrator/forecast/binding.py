"""What holds a rollout up at an instant: the same limits and openings that the decision looked at, by name."""

from orchestrator.executor.decide.bench import SUBNET
from orchestrator.executor.decide.limits import room, scope_room
from orchestrator.executor.decide.opening.cloud_events import coming_event
from orchestrator.executor.decide.opening.start_gate import start_opening
from orchestrator.forecast.environment import Environment
from orchestrator.model.plan.plan import Plan

PER_WINDOW = "per_window"

#: What the cloud is about to do to an instance itself.
EVENTS = "the cloud's own events"

#: What ends at an instant of its own, whatever is under way.
CLOSED = frozenset({"the window", "the freeze", "the soak", PER_WINDOW, EVENTS})

#: All of a wave is sent, and its end is waited for.
END_OF = "the end of"

#: What only the end of an upgrade, or of a wait, can change.
SLOW = (
    "in_flight",
    "ramp",
    "the strict failures",
    "the soak",
    "the window",
    "the freeze",
    PER_WINDOW,
    EVENTS,
    END_OF,
    "per_instance",
    "the addresses",
)


def binding(env: Environment) -> str:
    """What must change before more can start."""
    rollout, now = env.rollout, env.events.now
    wave = rollout.wave
    if wave is None:
        return "nothing"
    if env.run.waves[wave.name].soaks_until is not None:
        return "the soak"
    if rollout.queue.exhausted(wave.name):
        return f"{END_OF} wave {wave.name}"
    gate = start_opening(rollout, now)
    if not gate.open:
        return _closed(gate.why)
    free = room(rollout, now)
    if free.free <= 0:
        return _rate(env) or _plain(free.why)
    return _rate(env) or _of_targets(env)


def _closed(why: str) -> str:
    if why.startswith(PER_WINDOW):
        return PER_WINDOW
    return "the freeze" if why == "frozen" else "the window"


def _rate(env: Environment) -> str | None:
    name = env.crowded
    if name is None:
        return None
    rate = f"rate {env.scopes[name].lanes.pacer.nominal:g}/s"
    return rate if len(env.scopes) == 1 else f"{rate} of scope {name}"


def _plain(why: str) -> str:
    """The name of a limit, without the number that moves."""
    moving = next((name for name in ("ramp", PER_WINDOW) if why.startswith(name)), None)
    return moving or why.replace("strict, ", "the strict ", 1)


def _of_targets(env: Environment) -> str:
    """There is room, but every target that waits is held up by something of its own."""
    plan, rollout = env.plan, env.rollout
    opens = rollout.queue.next_opening()
    if opens is not None and coming_event(rollout, opens[1], env.events.now) is not None:
        return EVENTS
    if opens is not None and plan.windows == "instance":
        return "the window"
    full = [name for name in env.scopes if rollout.queue.waits_in(name) and not scope_room(rollout, name)]
    if full:
        return f"scope {full[0]}"
    short = rollout.queue.first_of(SUBNET)
    if short:
        return f"the addresses of subnet {short[0][0]}"
    return _of_neighbours(plan)


def _of_neighbours(plan: Plan) -> str:
    if plan.follow.to == "accepted":
        return "busy instances"
    return f"per_instance {plan.limits.per_instance}" + (" or per_label" if plan.limits.per_label else "")
