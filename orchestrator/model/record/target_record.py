"""Records of one target: what was read, sent, answered, seen and concluded."""

from datetime import datetime
from typing import Literal, TypeAlias

from orchestrator.model.plan.person import person
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.part_record import trouble_words
from orchestrator.model.record.record_base import Base, Clocks
from orchestrator.model.record.turn_record import Rested, TurnGiven, TurnReturned
from orchestrator.model.reply.reply import Entry

Verdict: TypeAlias = Literal[
    "accepted", "partial", "rejected", "refused", "busy", "throttled", "unauthenticated", "not_sent", "in_doubt"
]


class PreflightDone(Base, frozen=True, kw_only=True):
    """What was read just before an attempt.

    `upgrade_s`, `service_impact_s`: what the cloud foretells, see `Risk`. `nodes`: of the proxy, where that matters.
    """

    step: str = "preflight"
    wave: str
    current_version: str
    latest_version: str | None
    can_upgrade: bool | None
    upgrade_s: float | None = None
    service_impact_s: float | None = None
    nodes: int | None = None


class Postponed(Base, frozen=True, kw_only=True):
    """The target goes back to waiting; nothing of it runs. `busy` ones are counted towards `busy_for`."""

    step: str = "preflight"
    wave: str
    why: str
    until: datetime
    busy: bool = False
    error_code: str | None = None


class Intent(Base, frozen=True, kw_only=True):
    """An attempt is about to be sent.

    Attributes:
        token: new for every execution of the step.
        ahead_s: how far the calendar was ahead of `at`, in seconds.
    """

    step: str = "attempt"
    wave: str
    token: str
    source_version: str
    target_version: str
    clocks: Clocks | None = None
    ahead_s: float = 0.0


class AnswerSeen(Base, frozen=True, kw_only=True):
    """What came of an attempt; `update_result` word for word. `strays`: ids in it that belong to another question."""

    step: str = "attempt"
    verdict: Verdict
    reason: str | None = None
    http_status: int | None = None
    request_id: str | None = None
    error_code: str | None = None
    error_msg: str | None = None
    duration_ms: int = 0
    cloud_offset_s: float | None = None
    already_latest: bool = False
    update_result: tuple[Entry, ...] = ()
    strays: tuple[str, ...] = ()


class AnswerMissing(Base, frozen=True, kw_only=True):
    """A session, or a story that a bug broke off, ended between an intent and its answer: the attempt is in doubt."""

    step: str = "attempt"


class DoubtLooked(Base, frozen=True, kw_only=True):
    """One look at the evidence of a doubtful attempt, in words. `jobs`: each that could be what it started."""

    step: str = "reconcile"
    finding: str
    version: str | None = None
    jobs: tuple[str, ...] = ()


class WorkflowAdopted(Base, frozen=True, kw_only=True):
    """The evidence shows that a doubtful attempt started this job: it is ours.

    Attributes:
        named: the job was seen, and names the proxy: no answer to another target makes it that one's.
        listed: it was seen on the target's instance: no answer to a target of another instance does.
    """

    step: str = "reconcile"
    workflow_id: str
    evidence: str
    named: bool = False
    listed: bool = False


class VersionAdopted(Base, frozen=True, kw_only=True):
    """The evidence shows that a doubtful attempt took effect, but its job could not be found."""

    step: str = "reconcile"
    version: str
    evidence: str


class AttemptDisproved(Base, frozen=True, kw_only=True):
    """The evidence shows that a doubtful attempt did not start; the target waits for another one.

    Attributes:
        period_s: how long the doubt had to last; 0 in journals that do not tell it.
    """

    step: str = "reconcile"
    evidence: str
    clocks: Clocks | None = None
    period_s: float = 0.0


class DoubtRenewed(Base, frozen=True, kw_only=True):
    """A later reading speaks against what was believed of an attempt: it is in doubt again.

    `workflow_id`: the job that was taken for its own, and is another's. `jobs`: each that could be what it started.
    """

    step: str = "reconcile"
    why: str
    workflow_id: str | None = None
    jobs: tuple[str, ...] = ()
    clocks: Clocks | None = None


class DoubtRemains(Base, frozen=True, kw_only=True):
    """The doubt period has passed without evidence: the target is `in_doubt`."""

    step: str = "reconcile"
    why: str


class JobSeen(Base, frozen=True, kw_only=True):
    """A job of ours has a new status, in the cloud's words. `ended`: the cloud says that it is over."""

    step: str = "follow"
    workflow_id: str
    status: str
    name: str | None = None
    ended: bool = False
    ended_at: datetime | None = None
    fail_reason: str | None = None


class VersionReached(Base, frozen=True, kw_only=True):
    """The jobs of a target cannot be seen, but the proxy runs the target version: the upgrade ended.

    Attributes:
        evidence: what that rests on where no look has ever shown a job of it; empty in journals that do not tell it.
    """

    step: str = "follow"
    version: str
    evidence: str = ""


class FollowTimedOut(Base, frozen=True, kw_only=True):
    """`follow.timeout` passed, and a read after it showed no end: the target is `timed_out`.

    Attributes:
        period_s: how long it had to last, from the intent at least; 0 in journals that do not tell it.
    """

    step: str = "follow"
    why: str
    clocks: Clocks | None = None
    period_s: float = 0.0


class Reverified(Base, frozen=True, kw_only=True):
    """At the end of a soak: the proxy was read once more. Not healthy: its outcome turns into `failed`."""

    step: str = "verify"
    healthy: bool
    finding: str
    version: str | None = None


class NotReverified(Base, frozen=True, kw_only=True):
    """At the end of a soak: the proxy could not be read for `follow.verify_for`, or no answer showed it.

    Its outcome stays, its wave is not done, and the next session reads it again. `finding`: what is known, for people.
    """

    step: str = "verify"
    finding: str


class Settled(Base, frozen=True, kw_only=True):
    """The target has its outcome. `host`: from where a person settled it; empty where that was not recorded."""

    step: str = "settle"
    outcome: Outcome
    wave: str | None = None
    reason: str | None = None
    error_code: str | None = None
    verified_version: str | None = None
    evidence: str | None = None
    settled_by: str | None = None
    note: str | None = None
    command: int = 0
    host: str = ""


class ReturnedToWaiting(Base, frozen=True, kw_only=True):
    """A person settled an open target as not sent. `host`: as of `Settled`."""

    step: str = "settle"
    settled_by: str
    note: str
    command: int = 0
    host: str = ""

    @property
    def who(self) -> str:
        """User and host."""
        return person(self.settled_by, self.host)


class StoryFailed(Base, frozen=True, kw_only=True):
    """A bug broke off what was done for the target, or the machine did. It goes on in the next session.

    Attributes:
        error: type and place.
        host: as of `PartFailed`.
    """

    step: str = "story"
    wave: str | None = None
    error: str
    host: str = ""

    @property
    def words(self) -> str:
        """What broke it off, for people."""
        return trouble_words(self.error, self.host) if self.host else f"internal error: {self.error}"


TargetRecord: TypeAlias = (
    PreflightDone
    | Postponed
    | Intent
    | AnswerSeen
    | AnswerMissing
    | DoubtLooked
    | WorkflowAdopted
    | VersionAdopted
    | AttemptDisproved
    | DoubtRenewed
    | DoubtRemains
    | JobSeen
    | VersionReached
    | FollowTimedOut
    | Reverified
    | NotReverified
    | Settled
    | ReturnedToWaiting
    | StoryFailed
    | TurnGiven
    | TurnReturned
    | Rested
)
