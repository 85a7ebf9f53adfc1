"""The story of every target, record by record: where it stands, and whether what is claimed of it was seen."""

from collections import Counter

from judge.attempts import Attempts
from judge.fit import Fit
from judge.known import Fleet, Known, accepts
from judge.rule import Found, Rule, Violation

from orchestrator.model.plan.plan import Plan
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import Record

#: Outcomes of targets of which nothing of ours began.
_NOTHING_BEGAN = (Outcome.ALREADY, Outcome.SKIPPED, Outcome.REJECTED, Outcome.DEFERRED)


def _nothing_began(record: Record) -> bool:
    """Whether the program concludes that nothing of ours began: a person may know better."""
    settled = isinstance(record, r.Settled) and record.settled_by is None and record.outcome in _NOTHING_BEGAN
    return settled or isinstance(record, r.Postponed)


class Targets:
    """Folds the records of targets; their intents are the journal's matter."""

    def __init__(self, plan: Plan, fleet: Fleet, attempts: Attempts, fit: Fit, met: Counter[str]) -> None:
        self._plan = plan
        self._fleet = fleet
        self._attempts = attempts
        self._fit = fit
        self._met = met

    def take(self, known: Known, record: Record) -> Found:  # one case a record
        """One more record of a target."""
        match record:
            case r.PreflightDone():
                known.preflight = record
            case r.AnswerSeen():
                self._answer(known, record)
            case r.AnswerMissing():
                self._miss(known)
            case r.DoubtRenewed():
                known.disown(record.workflow_id)
                known.doubts()
            case r.Postponed() | r.Settled() if known.disputed and _nothing_began(record):
                pass  # its writer had not heard of the answer
            case r.Postponed():
                if known.doubt:
                    yield Violation(Rule.DISPROVED, "postponed in doubt")
                known.waits()
            case r.AttemptDisproved() if known.shown:
                pass  # its writer had not heard of the answer
            case r.AttemptDisproved():
                yield from self._disprove(known, record)
            case r.ReturnedToWaiting():
                known.let_go()
                known.waits()
            case r.DoubtRemains():
                known.standing = "in_doubt"
            case r.FollowTimedOut():
                known.standing = "timed_out"
            case r.StoryFailed() if known.open and not known.settled_at:
                known.standing = "in_doubt"
            case r.WorkflowAdopted():
                known.adopted.add(record.workflow_id)
                self._fleet.name(known, record.workflow_id)
                known.doubt, known.standing = False, "in_flight"
            case r.VersionAdopted() | r.VersionReached():
                known.reached, known.doubt, known.standing = True, False, "in_flight"
            case r.JobSeen():
                yield from self._job(known, record)
            case r.Settled():
                yield from self._settle(known, record)
            case r.NotReverified() if known.standing != "succeeded":
                yield Violation(Rule.SEEN, f"not read once more although it is {known.standing}")
            case r.Reverified():
                if known.standing != "succeeded":
                    yield Violation(Rule.SEEN, f"read once more although it is {known.standing}")
                known.standing, known.reread_at = ("succeeded" if record.healthy else "failed"), record.at
            case _:
                pass

    def _disprove(self, known: Known, record: r.AttemptDisproved) -> Found:
        """Its writer may not have heard that the sender says himself that nothing left."""
        if known.answer is None or not known.takes_back(known.answer):
            yield from self._attempts.disproved(known, record)
            known.doubted.add(known.intents[-1].token)
        known.waits()

    def _miss(self, known: Known) -> None:
        """Its writer may not have heard of the answer yet, that another host has written."""
        if known.answer is None or known.answer.attempt != len(known.intents):
            known.doubts()
            known.missed.add(known.intents[-1].token)
        known.unanswered = known.cut = False

    def _answer(self, known: Known, record: r.AnswerSeen) -> None:
        known.unanswered, known.answer = False, record
        known.doubt, known.cut = known.doubt and not known.cut, False
        if record.verdict in ("accepted", "partial"):
            self._names(known, record)
        doubted_before = any(other.attempt < record.attempt for other in known.intents if other.token in known.doubted)
        doubts = record.verdict == "in_doubt" or (doubted_before and record.verdict in ("rejected", "refused", "busy"))
        doubts = doubts and not known.followed
        if known.settled_at and not (known.left_alone and (doubts or record.verdict in ("accepted", "partial"))):
            return
        known.settled_at = None
        if known.takes_late(record) or known.takes_back(record):
            known.open, known.doubt, known.standing = True, False, "in_flight"
        if record.verdict == "in_doubt":
            known.doubted.add(known.intents[record.attempt - 1].token)
        if doubts:
            known.doubts()

    def _names(self, known: Known, record: r.AnswerSeen) -> None:
        for entry in record.update_result:
            if entry.workflow_id and accepts(entry):
                known.answered.add(entry.workflow_id)
                self._fleet.name(known, entry.workflow_id)

    def _job(self, known: Known, record: r.JobSeen) -> Found:
        if record.workflow_id not in known.accepted:
            yield Violation(Rule.SEEN, f"followed a job that is not its own: {record.workflow_id}")
        known.seen.add(record.workflow_id)
        if record.ended:
            known.ended[record.workflow_id] = record.status
            known.standing = "in_flight"
            self._fit.learn(known, record)

    def _settle(self, known: Known, record: r.Settled) -> Found:
        for problem in (*self._over(known, record), *self._claimed(known, record)):
            yield Violation(Rule.TRUE, f"{record.outcome.value}: {problem}")
        known.settled_at, known.open, known.doubt = record.at, False, False
        known.standing, known.left_alone = record.outcome.value, _nothing_began(record)
        self._met[f"outcome: {known.standing}"] += 1

    def _over(self, known: Known, record: r.Settled) -> list[str]:
        given_up = self._plan.follow.to == "accepted" and record.reason == "workflow_id not recovered"
        in_doubt = known.doubt and record.settled_by is None and not given_up
        return ["settled twice"] * bool(known.settled_at) + ["settled in doubt"] * in_doubt

    def _claimed(self, known: Known, record: r.Settled) -> list[str]:
        problems = []
        if record.outcome is Outcome.SUCCEEDED and record.settled_by is None:
            problems += self._success(known, record)
        if record.outcome in _NOTHING_BEGAN and self._fleet.certain(known):
            problems.append("claimed that nothing began")
        if record.outcome is Outcome.ALREADY and len(known.intents) > known.answered_for:
            problems.append("already, although this run sent it")
        return problems

    def _success(self, known: Known, record: r.Settled) -> list[str]:
        version = self._plan.follow.to != "verified" or record.verified_version == self._plan.target_version
        ended = {known.ended.get(workflow_id, "").lower() for workflow_id in self._fleet.certain(known)}
        end = known.reached or ended == {"completed"}
        return ["success without the version"] * (not version) + ["success without an end"] * (not end)
