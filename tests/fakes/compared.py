"""Fleets whose gate compares upgraded proxies with others, on virtual time: a slower kernel, or a spike everywhere."""

from dataclasses import dataclass
from random import Random

from fakes.acts import Fate
from fakes.clock import START
from fakes.clouds import FakeCloud
from fakes.eyes import Eyes
from fakes.rollouts import FREE, stage_of
from msgspec.structs import replace

from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.health_gate import EyeQuestion, HealthGate
from orchestrator.model.plan.metric import RESPONSE_MS
from orchestrator.model.plan.plan import Wave
from orchestrator.model.record.gate_record import GateAnswered
from orchestrator.model.record.record import Intent

WAVES = (
    Wave(name="canary", size=Amount(1), soak_s=600.0),
    Wave(name="early", size=Amount(5, percent=True), soak_s=600.0),
    Wave(name="rest"),
)
GATE = HealthGate(
    name="slower",
    at=("start", "wave"),
    cloud_eye=EyeQuestion(metric=RESPONSE_MS, compare="control"),
    hold_after_s=120.0,
)
#: How far the values of one node scatter from minute to minute, and how much load follows the day.
NOISE, DAY = 0.1, 0.2


@dataclass(frozen=True)
class Compared:
    """What the gate of one fleet said: `share`: of the fleet that was upgraded or under way when it failed first."""

    failed: bool
    share: float


def compared(seed: int, *, slower: float = 1.0, spike: bool = False, targets: int = 200) -> Compared:
    """One fleet, upgraded until all is done or the gate holds it."""
    random = Random(f"compared{seed}")
    now = int(START.timestamp() // 60)
    first = now + random.randint(5, 60)
    lasts, factor = random.randint(10, 180), random.uniform(1.3, 3.0)
    eyes = Eyes(
        noise=NOISE,
        day=(DAY, random.random()),
        slower=slower,
        seed=seed,
        spikes=((first, first + lasts, factor),) if spike else (),
    )

    def prepare(cloud: FakeCloud) -> None:
        for proxy_id in cloud.proxies:
            cloud.fates[proxy_id] = Fate(duration_s=random.uniform(180.0, 600.0))

    stage = stage_of(targets, prepare, gates=(GATE,), waves=WAVES, limits=replace(FREE, in_flight=Amount(10)))
    stage.eye_of = eyes
    played = stage.play()
    failed = next((record.at for record in played.of(GateAnswered) if record.answer == "fails"), None)
    sent = sum(failed is None or record.at <= failed for record in played.of(Intent))
    return Compared(failed is not None, sent / targets)
