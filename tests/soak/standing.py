"""The oracle's own fold of a journal: where each target stands, as far as the rules about starting need to know.

Much simpler than the executor's, and weaker where a reader of the journal cannot know: a target that was refused is
taken to be free at once, and what is freed is free from its place in the journal on.
"""

from dataclasses import dataclass, field
from typing import Literal

from orchestrator.model.plan import Plan
from orchestrator.model.record import (
    AnswerMissing,
    AnswerSeen,
    AttemptDisproved,
    DoubtRemains,
    DoubtRenewed,
    FollowTimedOut,
    Intent,
    JobSeen,
    Postponed,
    PreflightDone,
    Record,
    ReturnedToWaiting,
    Reverified,
    Settled,
    StoryFailed,
    VersionAdopted,
    VersionReached,
    WorkflowAdopted,
)
from orchestrator.model.target import Target

Phase = Literal["waiting", "sent", "open", "in_doubt", "timed_out", "settled"]


@dataclass
class Standing:
    """One target. `forgiven`: a release has accepted it as a failure or a rejection."""

    target: Target
    phase: Phase = "waiting"
    outcome: str | None = None
    wave: str | None = None
    attempts: int = 0
    doubted: bool = False
    forgiven: bool = False
    intent: Intent | None = None
    preflight: PreflightDone | None = None
    settled: Settled | None = None
    reverified: Reverified | None = None

    @property
    def is_open(self) -> bool:
        return self.phase in ("sent", "open", "in_doubt", "timed_out")

    @property
    def left_out(self) -> bool:
        return self.outcome in ("already", "skipped")

    @property
    def word(self) -> str:
        return self.outcome or self.phase


@dataclass
class Fleetwide:
    """All targets, and the counts that budgets are taken of."""

    plan: Plan
    targets: dict[str, Standing] = field(init=False)
    left_out: int = 0

    def __post_init__(self) -> None:
        self.targets = {target.proxy_id: Standing(target) for target in self.plan.proxies}

    def of_wave(self, wave: str) -> list[Standing]:
        return [each for each in self.targets.values() if each.wave == wave]

    def forgive(self) -> None:
        """A release accepts what has been counted."""
        for each in self.targets.values():
            each.forgiven = each.forgiven or self.failed(each) or each.outcome == "rejected"

    def failed(self, each: Standing) -> bool:
        """Whether a target counts as a failure, but for what was accepted."""
        return each.word in self.plan.failures.counts

    def take(self, record: Record) -> None:
        """Fold one record of a target."""
        each = self.targets.get(record.target or "")
        if each is None:
            return
        left_out_before = each.left_out
        fold(each, record)
        self.left_out += each.left_out - left_out_before


def fold(each: Standing, record: Record) -> None:  # one line for each record
    """Where a target stands after one more record."""
    match record:
        case PreflightDone():
            each.preflight, each.wave = record, each.wave or record.wave
        case Intent():
            each.phase, each.intent, each.wave = "sent", record, each.wave or record.wave
            each.attempts += 1
        case AnswerSeen():
            _answer(each, record)
        case AnswerMissing() | DoubtRenewed():
            each.phase, each.doubted = "open", True
        case Postponed() | AttemptDisproved():
            each.phase, each.forgiven, each.preflight = "waiting", False, None
        case ReturnedToWaiting():
            each.phase, each.forgiven, each.doubted, each.preflight = "waiting", False, False, None
        case DoubtRemains():
            each.phase = "in_doubt"
        case FollowTimedOut():
            each.phase = "timed_out"
        case StoryFailed() if each.is_open:
            each.phase = "in_doubt"
        case WorkflowAdopted() | VersionAdopted() | VersionReached():
            each.phase = "open"
        case JobSeen() if record.ended or each.phase == "in_doubt":
            each.phase = "open"
        case Settled():
            each.wave = each.wave or record.wave
            each.outcome, each.settled = record.outcome.value, record
        case Reverified():
            each.reverified = record
            each.outcome = each.outcome if record.healthy else "failed"
        case _:
            pass
    if each.outcome is not None:
        each.phase = "settled"


def _answer(each: Standing, record: AnswerSeen) -> None:
    if record.verdict in ("accepted", "partial"):
        each.phase = "open"
    elif record.verdict == "in_doubt" or each.doubted:
        each.phase, each.doubted = "open", True
    else:
        each.phase = "waiting"
