"""What is known of one target: the fold of its records. Created when the first record of a target comes."""

from datetime import datetime

import msgspec

from orchestrator.model.plan.target import Target
from orchestrator.model.record.moment import Moment
from orchestrator.model.record.outcome import FAILED_BEFORE, NOT_RECOVERED, OPEN, STUCK, Outcome, Phase
from orchestrator.model.record.record import EarlierOutcome, ImpactSampled, JobSeen, Record
from orchestrator.model.reply.reply import Entry, key_of, same_id
from orchestrator.model.reply.signature import signature
from orchestrator.model.run.upgrade_call import TURNED_AWAY, Attempt


class TargetState(msgspec.Struct, weakref=True):
    """Where one target stands, and everything the report says of it.

    Attributes:
        jobs: the workflows accepted or adopted, each with the last that was seen of it; None before the first look.
        stuck_at: since when it needs a person, and `stuck_why`: how it stands so; its end keeps both.
        doubtful_from: moment of the first doubtful intent; from then on no refusal settles anything.
        doubt_since: from when the doubt period counts: the latest intent, or when the doubt was renewed.
        doubts_renewed: how often a later reading spoke against a disproof since the latest intent.
        suspects: jobs that could be what a doubtful attempt has started, as far as looks have shown any.
        disowned: workflow ids in its answers that belong to another question, or may do: with `shared`, all of them.
        shared: those that another target was answered too; each may be its own all the same.
        decided: attempts that a person has settled as not sent; they are evidence of nothing any more.
        read_version: the version that the latest preflight read.
        upgraded_by: version seen in place of a job that could not be found.
        set_aside: why the target needs a person before anything more is done for it: a record of it cannot be applied.
        counted_in: release epoch in which the target was counted as a failure; -1 when it was not, or turned out well.
        turned_away: how many of its latest attempts, in a row, the cloud turned away without looking at the target.
        not_before: it waits until then, by the clock of the session that said so; see `postponed`.
        postponed: when that was said.
        busy_since: first of the postponements because the cloud was busy.
        busy_at: the latest of them.
        nodes: how many the proxy has; None when that was not read.
        folded: how many records of it there are.
        ended: when it was settled.
        impact: what was measured of it around its upgrade.
        service_impact_s: what the cloud foretold of that.
        earlier: what an earlier run of the fleet said of it, for the same version, when that was not good.
    """

    target: Target
    wave: str | None = None
    phase: Phase = Phase.WAITING
    outcome: Outcome | None = None
    reason: str | None = None
    error_code: str | None = None
    settled_by: str | None = None
    settled_host: str = ""
    settled_at: datetime | None = None
    stuck_at: datetime | None = None
    stuck_why: str | None = None
    read_version: str | None = None
    verified_version: str | None = None
    attempts: list[Attempt] = []
    jobs: dict[str, JobSeen | None] = {}
    accepted_at: Moment | None = None
    doubtful_from: Moment | None = None
    doubt_since: Moment | None = None
    doubts_renewed: int = 0
    suspects: frozenset[str] = frozenset()  # the same for all: one of its own takes 216 bytes
    disowned: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    decided: int = 0
    upgraded_by: str | None = None
    evidence: list[str] = []
    not_before: datetime | None = None
    turned_away: int = 0
    postponed: Moment | None = None
    busy_since: Moment | None = None
    busy_at: Moment | None = None
    busy_times: int = 0
    set_aside: str | None = None
    counted_in: int = -1
    folded: int = 0
    ended: Moment | None = None
    impact: ImpactSampled | None = None
    service_impact_s: float | None = None
    nodes: int | None = None
    earlier: EarlierOutcome | None = None

    @property
    def key(self) -> str:
        """The proxy_id."""
        return self.target.proxy_id

    @property
    def settled(self) -> bool:
        """Whether it has its outcome and needs nobody any more."""
        return self.outcome is not None and self.set_aside is None

    @property
    def ended_s(self) -> float:
        """When it was settled, in seconds of the epoch by the clock of that session; 0 before that."""
        return 0.0 if self.ended is None else self.ended.at.timestamp()

    @property
    def ended_otherwise(self) -> bool:
        """Whether it was sent and has ended, or is stuck, and not as in an earlier run."""
        ended = self.outcome is not None or self.phase in STUCK
        return ended and bool(self.attempts) and not self.repeats

    @property
    def unmeasured(self) -> bool:
        """Whether it was upgraded by us and settled, and has not all its minutes written down."""
        measured = self.impact is not None and not self.impact.missing
        return self.began and self.ended is not None and not measured

    @property
    def is_open(self) -> bool:
        """Whether something of ours may still be happening there."""
        return self.phase in OPEN

    @property
    def needs_person(self) -> bool:
        """Whether only a person, or new evidence, can move it: nothing of its own is waited for any more."""
        return self.phase in STUCK

    def questions(self, record: Record) -> bool:
        """Whether a conclusion about an attempt still counts: nothing has shown meanwhile that one began or is over."""
        return self.is_open and record.attempt == len(self.attempts) and not self.began

    @property
    def began(self) -> bool:
        """Whether an upgrade of ours is known to have started here."""
        return bool(self.jobs) or self.accepted_at is not None or self.upgraded_by is not None

    @property
    def unsent(self) -> bool:
        """Whether the latest attempt never left, as its sender says, and no doubt hangs over the target."""
        clear = self.phase is Phase.IN_FLIGHT and self.doubtful_from is None and not self.began
        return clear and self.last.answer is not None and self.last.answer.verdict == "not_sent"

    def doubt(self) -> None:
        """The latest attempt has no answer that can be trusted."""
        self.stuck_at = None
        self.phase = Phase.DOUBT
        self.doubtful_from = self.doubtful_from or self.last.sent

    def was_answered(self, workflow_id: str) -> bool:
        """Whether an answer to it accepted a workflow."""
        answers = (attempt.answer for attempt in self.attempts if attempt.answer)
        entries = (entry for answer in answers for entry in answer.update_result if entry.accepted)
        return any(same_id(entry.workflow_id, workflow_id) for entry in entries)

    def written(self, workflow_id: str) -> str:
        """A workflow of its own as it is written in `jobs`; another one as it is given."""
        return next((each for each in self.jobs if same_id(each, workflow_id)), workflow_id)

    def lose(self, workflow_id: str) -> None:
        """A workflow may be another's. Without any, it is in doubt, or told as unknown, what its attempts started."""
        had = self.written(workflow_id) in self.jobs
        self.jobs.pop(self.written(workflow_id), None)
        self.disowned |= {key_of(workflow_id)}
        self.shared |= {key_of(workflow_id)}
        for attempt in self.attempts:
            attempt.contested = attempt.contested or attempt.names(workflow_id)
        if self.jobs:
            return
        if self.is_open and self.upgraded_by is None:
            self.accepted_at = None
            self.doubt()
        elif self.outcome is not None or self.upgraded_by is not None:
            self.doubtful_from = self.doubtful_from or self.last.sent
            self.evidence += [NOT_RECOVERED] if had else []

    @property
    def attempted(self) -> bool:
        """Whether an upgrade call was made for it in this run that nobody has settled as not sent."""
        return len(self.attempts) > self.decided or self.doubtful_from is not None

    @property
    def seen_upgraded(self) -> bool:
        """Whether its upgrade ended well and its version was read afterwards: not what a job or a person says of it."""
        return self.outcome is Outcome.SUCCEEDED and self.verified_version is not None

    @property
    def taken_for(self) -> str | None:
        """What is known of a target that ended well instead of its version, which nobody has read; None: it was read.

        That is that the cloud `accepted` its upgrade, or `completed` it, or that a person has `settled` it.
        """
        if self.outcome is Outcome.ACCEPTED:
            return "accepted"
        if self.outcome is not Outcome.SUCCEEDED or self.seen_upgraded:
            return None
        return "settled" if self.settled_by else "completed"

    @property
    def no_news(self) -> bool:
        """Whether an earlier run said of it already what this one says, or why a rule leaves it out."""
        return (self.outcome is Outcome.SKIPPED and self.reason == FAILED_BEFORE) or self._ended_as_before

    @property
    def repeats(self) -> bool:
        """Whether it was sent once more and ended as in an earlier run."""
        return bool(self.attempts) and self._ended_as_before

    @property
    def _ended_as_before(self) -> bool:
        """Whether an earlier run left it with the same outcome, for the same reason by its signature."""
        earlier = self.earlier
        if earlier is None or self.outcome is not earlier.outcome:
            return False
        return signature(self.reason or "") == signature(earlier.reason or "")

    @property
    def unexamined(self) -> bool:
        """Whether nobody has looked a second time for what its attempts may have done, since the latest of them."""
        return self.attempted and not self.doubts_renewed

    @property
    def unanswered(self) -> bool:
        """Whether the latest attempt has left, or was about to, and nothing has come of it yet."""
        return self.phase is Phase.IN_FLIGHT and self.last.answer is None and not self.began

    @property
    def doubtful(self) -> bool:
        """Whether it is to be found out what became of an attempt."""
        return self.phase is not Phase.IN_FLIGHT and self.doubtful_from is not None

    @property
    def last(self) -> Attempt:
        """The latest attempt.

        Raises:
            IndexError: there was none.
        """
        return self.attempts[-1]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries of the latest answer."""
        answer = self.attempts[-1].answer if self.attempts else None
        return answer.update_result if answer else ()

    @property
    def doubtful_entries(self) -> tuple[Entry, ...]:
        """The entries of every answer that is in doubt: no REJECT ones, and none that answer another question."""
        attempts = self.attempts[self.decided :]
        answers = (attempt.answer for attempt in attempts if attempt.answer and attempt.doubtful)
        entries = (entry for answer in answers for entry in answer.update_result if not entry.rejected)
        return tuple(entry for entry in entries if self._is_ours(entry))

    @property
    def accepted_astray(self) -> tuple[Entry, ...]:
        """The ACCEPT entries of its doubtful answers that answer another question, or seem to."""
        answers = (each.answer for each in self.attempts[self.decided :] if each.answer and each.doubtful)
        entries = (entry for answer in answers for entry in answer.update_result if entry.accepted)
        return tuple(entry for entry in entries if not self._is_ours(entry))

    def _is_ours(self, entry: Entry) -> bool:
        named = entry.instance_id is None or same_id(entry.instance_id, self.target.instance_id)
        return named and key_of(entry.workflow_id or "") not in self.disowned

    @property
    def refused(self) -> bool:
        """Whether the cloud has ever said no to it, in whole or in part."""
        answers = [attempt.answer for attempt in self.attempts if attempt.answer]
        return self.outcome is Outcome.REJECTED or any(
            answer.verdict == "refused" or any(entry.rejected for entry in answer.update_result) for answer in answers
        )

    @property
    def refused_in_part(self) -> tuple[Entry, ...]:
        """The REJECT entries of answers that hold an ACCEPT beside them."""
        answers = (attempt.answer for attempt in self.attempts if attempt.answer)
        mixed = (answer.update_result for answer in answers if any(entry.accepted for entry in answer.update_result))
        return tuple(entry for entries in mixed for entry in entries if entry.rejected)

    @property
    def unfinished_jobs(self) -> list[str]:
        """Workflow ids of jobs that the cloud has not yet said to be over."""
        return [job_id for job_id, seen in self.jobs.items() if seen is None or not seen.ended]

    @property
    def plain_reason(self) -> str | None:
        """The reason, without the ids that differ from target to target: what several have in common."""
        words = self.reason or ""
        for job_id in self.jobs:
            words = words.replace(job_id, "")
        return None if self.reason is None else " ".join(words.split())

    @property
    def got_through(self) -> int:
        """How many of its attempts have an answer, and were not turned away."""
        return sum(each.answer is not None and each.answer.verdict not in TURNED_AWAY for each in self.attempts)

    @property
    def standing(self) -> str:
        """The outcome, or the phase in the words of the report."""
        if self.outcome is not None:
            return self.outcome.value
        return Phase.IN_DOUBT.value if self.phase is Phase.DOUBT else self.phase.value
