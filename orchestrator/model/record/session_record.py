"""Records of one session: that it began, and how it ended and was left."""

from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from msgspec import field

from orchestrator.errors import ExitCode
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.person import person
from orchestrator.model.record.record_base import Base, Clocks

#: A session that its host left is gone on with for so long: after that a person had time to see it, and may start it.
LEFT_FOR = timedelta(minutes=10)

#: Ends after which the next host may find more to do.
_LEAVES = frozenset({ExitCode.MORE_TO_DO, ExitCode.PERSON_NEEDED, ExitCode.SCOPE_UNUSABLE})


class SessionStarted(Base, frozen=True, kw_only=True):
    """A process took up the run. `changed` holds the settings that differ from the session before, as text.

    Attributes:
        set: what `--set` changed of the plan file for this session, by key, as text; empty in older journals.
        in_flight: how many upgrades the plan lets be under way in this session; None in older journals.
        user: who started it; empty in journals of before it was recorded.
        until: it starts nothing from this instant of the calendar on; None for no bound, as in older journals.
        ends_at: nor from this instant of its clock on.
        barred: why it starts nothing at all, as `Wait.noted`; empty when it may.
        approved: SHA-256 of the saved preview that it is bound to; empty for none, as in older journals.
    """

    number: int
    pid: int
    host: str
    orchestrator_version: str
    changed: dict[str, str] = field(default_factory=dict)
    set: dict[str, str] = field(default_factory=dict)
    in_flight: Amount | None = None
    user: str = ""
    clocks: Clocks | None = None
    until: datetime | None = None
    ends_at: datetime | None = None
    barred: tuple[str, ...] = ()
    approved: str = ""

    @property
    def who(self) -> str:
        """User and host."""
        return person(self.user or "a user not recorded", self.host)


class SessionEnded(Base, frozen=True, kw_only=True):
    """The process left the run in good order.

    Attributes:
        waits: for what then, as `Wait.noted`; empty in older journals.
        stopped: the process was told to stop; False in older journals.
        left_to: names of the hosts that alone may serve what is left, with `*` and `?`, when it ended for that.
        left_by: names of the hosts that did, one after the other, while no target was settled.
    """

    exit_code: int
    why: str
    waits: tuple[str, ...] = ()
    stopped: bool = False
    left_to: tuple[str, ...] = ()
    left_by: tuple[str, ...] = ()

    @property
    def hands_over(self) -> bool:
        """Whether the next host may go on at once: it was told to stop, and another one would not come to its end."""
        return self.stopped and self.exit_code in _LEAVES

    def goes_on_at(self, host: str | None) -> bool:
        """Whether a host may go on at once; None for one that shares its state with no other.

        Where something was left to hosts that alone may serve it, each goes on once, until a target is settled again.
        """
        served = host is not None and any(fnmatchcase(host, name) for name in self.left_to)
        return self.hands_over or (served and host not in self.left_by)
