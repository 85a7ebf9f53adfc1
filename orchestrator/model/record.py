"""Every record of the journal, as frozen values: what the executor says happened, in the order in which it happened.

A record is plain data keyed by (target, step, attempt). `orchestrator.model.run.Run` folds records into the state of
a run, the report is a fold of them too, and nothing else is remembered. A new record needs a class here, its place in
`Record`, and a line in `Run.apply`; fields may be added with defaults, never changed in meaning.
"""

from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Raw, Struct

from orchestrator.model.outcome import Outcome
from orchestrator.model.reply import Entry

#: Version of the journal's form. A reader refuses a journal with a higher one.
JOURNAL_VERSION = 1

Verdict: TypeAlias = Literal[
    "accepted", "partial", "rejected", "refused", "busy", "throttled", "unauthenticated", "not_sent", "in_doubt"
]
HoldCause: TypeAlias = Literal["person", "failures", "rejected", "wave_failed", "approval", "new_reject"]


def _snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name).lstrip("_")


class Base(Struct, frozen=True, kw_only=True, tag_field="record", tag=_snake):
    """What every record has: its instant, and the target, step and attempt that it belongs to."""

    at: datetime
    target: str | None = None
    step: str = "run"
    attempt: int = 0


# --- the run, its sessions, waves, scopes and holds ------------------------------------------------------------------


class RunStarted(Base, frozen=True, kw_only=True):
    """The first record of every journal."""

    journal: int = JOURNAL_VERSION
    run_id: str
    name: str
    target_version: str
    plan_sha256: str
    simulated: bool
    targets: int
    waves: tuple[str, ...]
    orchestrator_version: str
    commands_seen: int = 0
    known_rejects: tuple[str, ...] = ()


class OutcomeKept(Base, frozen=True, kw_only=True):
    """A target that this run leaves alone, with what an earlier run said of it.

    Attributes:
        position: how many targets of this run stand before it in the plan.
        entry: its entry in the earlier report, as JSON.
    """

    step: str = "keep"
    outcome: Outcome
    position: int
    entry: Raw


class SessionStarted(Base, frozen=True, kw_only=True):
    """A process took up the run. `changed` holds the settings that differ from the session before, as text."""

    number: int
    pid: int
    host: str
    orchestrator_version: str
    changed: dict[str, str] = {}


class SessionEnded(Base, frozen=True, kw_only=True):
    """The process left the run in good order."""

    exit_code: int
    why: str


class RunEnded(Base, frozen=True, kw_only=True):
    """No target is waiting or open any more, or `--new` ended the run."""

    why: Literal["completed", "superseded"] = "completed"


class WaveOpened(Base, frozen=True, kw_only=True):
    """Targets of this wave may start."""

    wave: str


class WaveSoaking(Base, frozen=True, kw_only=True):
    """Every target of the wave is settled; the next wave opens after `until`."""

    wave: str
    until: datetime


class WaveDone(Base, frozen=True, kw_only=True):
    """The wave is settled, soaked and verified once more."""

    wave: str


class WaveApproved(Base, frozen=True, kw_only=True):
    """A person released a wave that asks for approval, perhaps before its turn."""

    wave: str
    by: str
    note: str
    command: int = 0


class HoldSet(Base, frozen=True, kw_only=True):
    """Nothing starts any more until a release.

    Attributes:
        reason: one sentence for people.
        wave: the wave or, for a budget of a scope, None.
        proxy_ids: targets that caused it, root causes first.
        command: number of the person's command in the fleet's command file; 0 when the run held itself.
    """

    cause: HoldCause
    reason: str
    by: str | None = None
    note: str | None = None
    wave: str | None = None
    scope: str | None = None
    proxy_ids: tuple[str, ...] = ()
    command: int = 0


class HoldReleased(Base, frozen=True, kw_only=True):
    """A person lets the fleet go on. What was counted until now is accepted."""

    by: str
    note: str
    command: int = 0


class CommandIgnored(Base, frozen=True, kw_only=True):
    """A person's command that no longer applied when the run read it."""

    command: int
    why: str


class ScopePaused(Base, frozen=True, kw_only=True):
    """A scope refuses or cannot be reached; one probe at a time finds out when it is back."""

    scope: str
    why: str


class ScopeThrottled(Base, frozen=True, kw_only=True):
    """The cloud refused a call as one too many; the whole scope waits until then."""

    scope: str
    until: datetime
    why: str


class ScopeOpened(Base, frozen=True, kw_only=True):
    """A probe of a paused scope was answered. `project_id` as the plan says, or as it was looked up."""

    scope: str
    project_id: str | None = None


class ScopeGivenUp(Base, frozen=True, kw_only=True):
    """The scope cannot be used in this session."""

    scope: str
    why: str


class ScopeUsed(Base, frozen=True, kw_only=True):
    """How much a session used a scope since its last such record."""

    scope: str
    calls: int
    throttled: int
    rate_limit: float | None
    seconds: float


# --- one target -----------------------------------------------------------------------------------------------------


class PreflightDone(Base, frozen=True, kw_only=True):
    """What was read just before an attempt."""

    step: str = "preflight"
    wave: str
    current_version: str
    latest_version: str | None
    can_upgrade: bool | None


class Postponed(Base, frozen=True, kw_only=True):
    """The target goes back to waiting; nothing of it runs. `busy` ones are counted towards `busy_for`."""

    step: str = "preflight"
    wave: str
    why: str
    until: datetime
    busy: bool = False
    error_code: str | None = None


class Intent(Base, frozen=True, kw_only=True):
    """An attempt is about to be sent. `token` is new for every execution of the step."""

    step: str = "attempt"
    wave: str
    token: str
    source_version: str
    target_version: str


class AnswerSeen(Base, frozen=True, kw_only=True):
    """What came of an attempt; `update_result` word for word."""

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


class AnswerMissing(Base, frozen=True, kw_only=True):
    """A session ended between an intent and its answer: the attempt is in doubt."""

    step: str = "attempt"


class DoubtLooked(Base, frozen=True, kw_only=True):
    """One look at the evidence of a doubtful attempt, in words."""

    step: str = "reconcile"
    finding: str
    version: str | None = None


class WorkflowAdopted(Base, frozen=True, kw_only=True):
    """The evidence shows that a doubtful attempt started this job: it is ours."""

    step: str = "reconcile"
    workflow_id: str
    evidence: str


class VersionAdopted(Base, frozen=True, kw_only=True):
    """The evidence shows that a doubtful attempt took effect, but its job could not be found."""

    step: str = "reconcile"
    version: str
    evidence: str


class AttemptDisproved(Base, frozen=True, kw_only=True):
    """The evidence shows that a doubtful attempt did not start; the target waits for another one."""

    step: str = "reconcile"
    evidence: str


class DoubtRenewed(Base, frozen=True, kw_only=True):
    """A later reading speaks against the evidence by which a doubtful attempt was disproved: it is in doubt again."""

    step: str = "reconcile"
    why: str


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
    """The jobs of a target cannot be seen, but the proxy runs the target version: the upgrade ended."""

    step: str = "follow"
    version: str


class FollowTimedOut(Base, frozen=True, kw_only=True):
    """`follow.timeout` passed, and a read after it showed no end: the target is `timed_out`."""

    step: str = "follow"
    why: str


class Reverified(Base, frozen=True, kw_only=True):
    """At the end of a soak: the proxy was read once more. Not healthy: its outcome turns into `failed`."""

    step: str = "verify"
    healthy: bool
    finding: str
    version: str | None = None


class Settled(Base, frozen=True, kw_only=True):
    """The target has its outcome."""

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


class ReturnedToWaiting(Base, frozen=True, kw_only=True):
    """A person settled an open target as not sent."""

    step: str = "settle"
    settled_by: str
    note: str
    command: int = 0


RunRecord: TypeAlias = (
    RunStarted
    | OutcomeKept
    | SessionStarted
    | SessionEnded
    | RunEnded
    | WaveOpened
    | WaveSoaking
    | WaveDone
    | WaveApproved
    | HoldSet
    | HoldReleased
    | CommandIgnored
    | ScopePaused
    | ScopeThrottled
    | ScopeOpened
    | ScopeGivenUp
    | ScopeUsed
)
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
    | Settled
    | ReturnedToWaiting
)
Record: TypeAlias = RunRecord | TargetRecord
