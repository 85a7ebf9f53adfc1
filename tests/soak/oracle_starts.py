"""Never twice, never lost: what really began, by the cloud's books, against journal and report."""

from collections.abc import Iterator, Sequence
from math import inf

from judge.books import Books, Start
from judge.rule import Found, Rule, Violation
from soak.evidence import Evidence
from soak.loop import seconds
from soak.plans import doubt_period_s

from orchestrator.executor.target.follow import NEVER_SHOWN
from orchestrator.model.record.record import AnswerSeen, AttemptDisproved, Intent, ReturnedToWaiting
from orchestrator.model.reply.reply import Entry
from orchestrator.simulator.world.world import Job
from orchestrator.tracker.report.schema import TargetReport

#: How a job is seen that no list shows.
_UNLISTED = ("never", "not_listed")

#: An answer that another host has written is heard so soon: until then a disproof may be written, which is void then.
_HEARD_WITHIN_S = 3.0


class _Books(Books):
    """The cloud's books; poisoned answers and foreign upgrades excuse what nobody could know better."""

    def __init__(self, evidence: Evidence, starts: Sequence[Start]) -> None:
        super().__init__(starts, _let_go(evidence))
        self._evidence = evidence

    def excuses(self, target: TargetReport, start: Start) -> bool:
        return _excused(self._evidence, target, _job(self._evidence, start))

    def left_late(self, start: Start) -> bool:
        return slept_through(self._evidence, start)


def starts(evidence: Evidence) -> Found:
    """Every rule about effective starts."""
    began = [start for start in effective_starts(evidence) if not beyond(evidence, _job(evidence, start))]
    yield from _Books(evidence, began).judge(evidence.report.targets)
    yield from _disproofs(evidence)


def effective_starts(evidence: Evidence) -> list[Start]:
    """The cloud's books know what began, the wire knows when it was sent."""
    began = []
    for post in evidence.wire.posts:
        calls = evidence.cloud.books.calls_of(post.proxy_id)
        job = calls[post.number - 1].job if post.number else None
        if job is not None:
            began.append(Start(post.proxy_id, job.job_id, post.sent_s))
    return began


def _job(evidence: Evidence, start: Start) -> Job:
    return evidence.cloud.world.jobs[start.workflow_id]


def _let_go(evidence: Evidence) -> dict[str, float]:
    """When a person last said `not_sent` of a target."""
    return {
        each.target: seconds(each.at) for each in evidence.told if isinstance(each, ReturnedToWaiting) and each.target
    }


def _excused(evidence: Evidence, target: TargetReport, job: Job) -> bool:
    return believed(evidence, target, job) or _mistaken(evidence, target, job)


def believed(evidence: Evidence, target: TargetReport, job: Job) -> bool:
    """Whether an answer's word, which was another's, is all there is: no more was asked for, or no look can show more.

    Then the report says so. Whose job it is cannot be seen where its project hides its jobs, or is another one.
    """
    if not crossed(evidence, job):
        return False
    return evidence.fleet.plan.follow.to == "accepted" or _on_its_word(evidence, target)


def _on_its_word(evidence: Evidence, target: TargetReport) -> bool:
    said = f"{target.reason} {target.evidence}"
    stated = NEVER_SHOWN in said or "not visible" in said or target.outcome in ("in_flight", "in_doubt")
    named = _named_ids(evidence, target.proxy_id).intersection(target.workflow_ids)
    jobs = (evidence.cloud.world.jobs.get(each or "") for each in named)
    return stated and target.job is None and any(job and _is_hidden_from(target, job) for job in jobs)


def _is_hidden_from(target: TargetReport, job: Job) -> bool:
    return job.shown_from == inf or job.instance.project.project_id != target.project_id


def crossed(evidence: Evidence, job: Job) -> bool:
    """Whether its workflow_id is in an answer to another target, or in none that was written."""
    proxy_id = job.proxy.proxy_id if job.proxy else ""
    return bool(evidence.fleet.dose.crossed) and job.job_id not in _named_ids(evidence, proxy_id)


def _mistaken(evidence: Evidence, target: TargetReport, job: Job) -> bool:
    """Somebody else's upgrade on the instance was taken for ours, whose id nothing showed: the rule allows it."""
    adopted = (evidence.cloud.world.jobs.get(job_id) for job_id in target.workflow_ids)
    foreign = any(each is not None and each.foreign and each.instance is job.instance for each in adopted)
    return foreign and job.fate.seen in _UNLISTED and job.job_id not in _named_ids(evidence, target.proxy_id)


def _named_ids(evidence: Evidence, proxy_id: str) -> set[str | None]:
    """Workflows that answers for a proxy named, as far as they were written."""
    records = evidence.told
    mine = (each for each in records if isinstance(each, AnswerSeen) and each.target == proxy_id)
    return {entry.workflow_id for answer in mine for entry in answer.update_result}


def _disproofs(evidence: Evidence) -> Found:
    """A disproof says that no attempt so far began: not then, and not later."""
    said, began = dict[str | None, float](), effective_starts(evidence)
    for line in evidence.disk.lines:
        record = line.record
        if isinstance(record, ReturnedToWaiting):
            said[record.target] = seconds(record.at)
        if isinstance(record, AttemptDisproved):
            at_s, since_s = seconds(record.at), said.get(record.target, -1.0)
            mine = (each for each in began if each.proxy_id == record.target and since_s < each.sent_s <= at_s)
            for start in mine:
                known = not beyond(evidence, _job(evidence, start), line.written_s - _HEARD_WITHIN_S)
                if known and not slept_through(evidence, start):
                    what = f"{record.target} at +{at_s:.1f} s, but {start.workflow_id} began: {record.evidence}"
                    yield Violation(Rule.DISPROVED, what)


def slept_through(evidence: Evidence, start: Start) -> bool:
    """Whether its host stood still between its last check and the socket until the doubt period had passed.

    It writes what it was about to write when it wakes up, and nobody can stop it: what is left of the danger.
    """
    post = next(each for each in evidence.wire.posts if (each.proxy_id, each.sent_s) == (start.proxy_id, start.sent_s))
    if evidence.process(post.session).ordeal.freeze is None:
        return False
    intents = (line.record for line in evidence.disk.lines if isinstance(line.record, Intent))
    mine = (each for each in intents if each.target == start.proxy_id and each.token.startswith(f"{post.session}-"))
    asked_s = max(seconds(each.at) for each in mine if seconds(each.at) <= start.sent_s)
    return start.sent_s - asked_s >= doubt_period_s(evidence.fleet.plan)


def beyond(evidence: Evidence, job: Job, by_s: float = inf) -> bool:
    """Whether no evidence could show this start: it alone is in no list, and no answer written by then tells of it."""
    proxy_id = job.proxy.proxy_id if job.proxy else ""
    tricked = any(fate.proxy_id == proxy_id for fate in evidence.cloud.profile.fates)
    return tricked and _never_shown(evidence, job, by_s)


def _never_shown(evidence: Evidence, job: Job, by_s: float) -> bool:
    if job.fate.seen not in _UNLISTED:
        return False
    mine = _answers_in_time(evidence, job.proxy.proxy_id if job.proxy else "", by_s)
    return not any(_tells_of(entry, job) for answer in mine for entry in answer.update_result)


def _answers_in_time(evidence: Evidence, proxy_id: str, by_s: float) -> Iterator[AnswerSeen]:
    """Those to a target that came before its next attempt; one of a host that stood still may come after that."""
    attempts = 0
    for line in evidence.disk.lines:
        record = line.record
        if record.target != proxy_id:
            continue
        attempts += isinstance(record, Intent)
        if isinstance(record, AnswerSeen) and record.attempt == attempts and line.written_s <= by_s:
            yield record


def _tells_of(entry: Entry, job: Job) -> bool:
    return entry.workflow_id == job.job_id or (entry.state == "ACCEPT" and not entry.workflow_id)
