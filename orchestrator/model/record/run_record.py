"""Records of the run itself: its sessions, waves, scopes and holds."""

from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Raw, field

from orchestrator.model.plan.person import person
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.part_record import PartFailed
from orchestrator.model.record.record_base import Base, Clocks
from orchestrator.model.record.session_record import SessionEnded, SessionStarted

#: Version of the journal's form. A reader refuses a journal with a higher one.
JOURNAL_VERSION = 1

HoldCause: TypeAlias = Literal["person", "failures", "rejected", "wave_failed", "approval", "new_reject", "gate"]


class RunStarted(Base, frozen=True, kw_only=True):
    """The first record of every journal. `approved`: as of `SessionStarted`.

    Attributes:
        world: the options that made its simulated cloud what it is; empty for a real run, and in older journals.
    """

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
    approved: str = ""
    world: tuple[str, ...] = ()


class OutcomeKept(Base, frozen=True, kw_only=True):
    """A target that this run leaves alone, with what an earlier run said of it.

    Attributes:
        position: how many targets of this run stand before it in the plan.
        entry: its entry in the earlier report, as JSON.
        news: whether no session has told that outcome: the run was ended for this one, which leaves the target alone.
    """

    step: str = "keep"
    outcome: Outcome
    position: int
    entry: Raw
    news: bool = False


class EarlierOutcome(Base, frozen=True, kw_only=True):
    """How an earlier run of the fleet ended for this target and this version: known when the run begins.

    `run_id` and `workflow_ids` are those of then.
    """

    step: str = "earlier"
    run_id: str
    outcome: Outcome
    reason: str | None = None
    workflow_ids: tuple[str, ...] = ()


class RunEnded(Base, frozen=True, kw_only=True):
    """No target is waiting or open any more, or `--new` ended the run."""

    why: Literal["completed", "superseded"] = "completed"


class WaveOpened(Base, frozen=True, kw_only=True):
    """Targets of this wave may start."""

    wave: str


class WaveSoaking(Base, frozen=True, kw_only=True):
    """Every target of the wave is settled; the next wave opens after `until`. `clouds`: the clocks of each scope."""

    wave: str
    until: datetime
    clocks: Clocks | None = None
    clouds: dict[str, Clocks] = field(default_factory=dict)


class WaveDone(Base, frozen=True, kw_only=True):
    """The wave is settled, soaked and verified once more.

    Attributes:
        held_up: proxies of it that wait for slots which stuck ones hold, and have their turn when these are free.
    """

    wave: str
    held_up: tuple[str, ...] = ()
    clocks: Clocks | None = None


class HoldSet(Base, frozen=True, kw_only=True):
    """Nothing starts any more until a release.

    Attributes:
        wave: the wave or, for a budget of a scope, None.
        proxy_ids: targets that caused it, root causes first.
        command: number of the person's command in the fleet's command file; 0 when the run held itself.
        host: from where the person asked; empty when the run held itself, and where it was not recorded.
        since: when it was asked for, or set in an earlier run; None: `at`.
    """

    cause: HoldCause
    reason: str
    by: str | None = None
    note: str | None = None
    wave: str | None = None
    scope: str | None = None
    proxy_ids: tuple[str, ...] = ()
    command: int = 0
    host: str = ""
    since: datetime | None = None

    @property
    def began_at(self) -> datetime:
        """Since when nothing starts."""
        return self.since or self.at

    @property
    def who(self) -> str | None:
        """User and host; None when the run held itself."""
        return None if self.by is None else person(self.by, self.host)


class ScopePaused(Base, frozen=True, kw_only=True):
    """A scope refuses or cannot be reached; one probe at a time finds out when it is back."""

    scope: str
    why: str


class ScopeThrottled(Base, frozen=True, kw_only=True):
    """The cloud refused a call as one too many; the whole scope waits until then.

    `probe_at`: of a pause too long to be believed, when one probe asks again.
    """

    scope: str
    until: datetime
    why: str
    probe_at: datetime | None = None


class ScopeOpened(Base, frozen=True, kw_only=True):
    """A probe of a paused scope was answered. `project_id` as the plan says, or as it was looked up."""

    scope: str
    project_id: str | None = None


class ScopeGivenUp(Base, frozen=True, kw_only=True):
    """The scope cannot be used in this session. `hosts`: those that may serve it, when this one may not."""

    scope: str
    why: str
    hosts: tuple[str, ...] = ()


class ScopeSilent(Base, frozen=True, kw_only=True):
    """Nothing that can be read has come from a scope since then, though it was asked. Its calls go on.

    `why`: what became of the last call that failed.
    """

    scope: str
    why: str
    since: datetime


class ScopeHeard(Base, frozen=True, kw_only=True):
    """A silent scope answers again."""

    scope: str


class CloudTimeLearned(Base, frozen=True, kw_only=True):
    """How far the cloud's time is from that of the session's clock: at the first `Date`, and when it has changed.

    Attributes:
        offset_s: the cloud's time minus ours, in seconds: at least that, and at most `within_s` more.
        unsure_s: for so long no answer had agreed with the offset before; None when there was none before.
    """

    scope: str
    offset_s: float
    within_s: float = 1.0
    unsure_s: float | None = None


class ClockStepped(Base, frozen=True, kw_only=True):
    """A clock was set by so many seconds, forwards when positive. No time that is waited for ends earlier for it.

    `clock`: `host`: the wall clock against monotonic time; `cloud`: the `Date` of answers of `scope` against it.
    """

    clock: Literal["host", "cloud"]
    by_s: float
    scope: str | None = None


class ScopeUsed(Base, frozen=True, kw_only=True):
    """How much a session used a scope since its last such record."""

    scope: str
    calls: int
    throttled: int
    rate_limit: float | None
    seconds: float


RunRecord: TypeAlias = (
    RunStarted
    | OutcomeKept
    | EarlierOutcome
    | SessionStarted
    | SessionEnded
    | RunEnded
    | WaveOpened
    | WaveSoaking
    | WaveDone
    | HoldSet
    | ScopePaused
    | ScopeThrottled
    | ScopeOpened
    | ScopeGivenUp
    | ScopeSilent
    | ScopeHeard
    | ScopeUsed
    | PartFailed
    | CloudTimeLearned
    | ClockStepped
)
