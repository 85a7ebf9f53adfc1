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
#: The regression that is to be found, and what a spike of the region makes of the response time.
SLOWER, SPIKE = 1.2, (1.3, 3.0)
#: How many proxies a fleet has.
TARGETS = (40, 160)
#: How far values of a node scatter by the minute, how much load follows the day, how far spikes differ by proxy.
NOISE, DAY, UNEVEN = (0.03, 0.12), (0.0, 0.3), 0.2


@dataclass(frozen=True)
class Compared:
    """What the gate of one fleet said.

    Attributes:
        failed: whether it ever did.
        share: of the fleet that was sent when it failed first; all of it, when it never did.
    """

    failed: bool
    share: float


def compared(seed: int, *, slower: float = 1.0, spike: bool = False, targets: int | None = None) -> Compared:
    """One fleet, upgraded until all is done or the gate holds it.

    Args:
        seed: of everything.
        slower: the response time under the new kernel, as a factor.
        spike: whether the whole region answers more slowly for a while.
        targets: how many proxies; None draws it.
    """
    random = Random(f"compared{seed}")
    eyes = _eyes(seed, random, slower, spike=spike)
    number = targets or random.randint(*TARGETS)

    def prepare(cloud: FakeCloud) -> None:
        for proxy_id in cloud.proxies:
            cloud.fates[proxy_id] = Fate(duration_s=random.uniform(180.0, 600.0))

    stage = stage_of(number, prepare, gates=(GATE,), waves=WAVES, limits=replace(FREE, in_flight=Amount(10)))
    stage.eye_of = eyes
    played = stage.play()
    failed = next((record.at for record in played.of(GateAnswered) if record.answer == "fails"), None)
    sent = sum(failed is None or record.at <= failed for record in played.of(Intent))
    return Compared(failed is not None, sent / number)


def _eyes(seed: int, random: Random, slower: float, *, spike: bool) -> Eyes:
    first = int(START.timestamp() // 60) + random.randint(5, 60)
    spikes = ((first, first + random.randint(10, 180), random.uniform(*SPIKE)),) if spike else ()
    day = (random.uniform(*DAY), random.random())
    return Eyes(noise=random.uniform(*NOISE), day=day, slower=slower, seed=seed, spikes=spikes, uneven=UNEVEN)
