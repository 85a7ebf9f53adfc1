"""Intents before sends, answers in the journal, and the pace: the log of the wire against the journal."""

from collections import defaultdict
from collections.abc import Sequence

import msgspec
from judge.rule import Found, Rule, Violation
from soak.disk import Line
from soak.evidence import Evidence, Process
from soak.process import scope_rate
from soak.virtual_api import Post, service_host

from orchestrator.model.record.record import AnswerSeen, Intent
from orchestrator.model.reply.reply import Entry

_TINY_S = 1e-4


#: An intent is written this often at most, as good as always, before it is in the log of several hosts.
_OVERTAKEN = 4


def wire_rules(evidence: Evidence) -> Found:
    """Every rule about what was sent."""
    yield from _sends(evidence)
    yield from _paces(evidence)
    for process in evidence.lives:
        yield from _concurrency(evidence, process)


def _sends(evidence: Evidence) -> Found:
    intents, answers = _by_target(evidence)
    latest: dict[str, int] = defaultdict(int)
    for post in evidence.wire.posts:
        lines = intents[post.proxy_id]
        ready = [line for line in lines if line.written_s <= post.sent_s + _TINY_S]
        if len(ready) <= latest[post.proxy_id]:
            yield Violation(Rule.INTENT, f"{post.proxy_id}: sent at +{post.sent_s:.2f} s without an intent of its own")
            continue
        latest[post.proxy_id] = len(ready)
        yield from _answered(evidence, post, len(ready), answers[post.proxy_id].get(len(ready)))


def _by_target(evidence: Evidence) -> tuple[dict[str, list[Line]], dict[str, dict[int, AnswerSeen]]]:
    intents: dict[str, list[Line]] = defaultdict(list)
    answers: dict[str, dict[int, AnswerSeen]] = defaultdict(dict)
    for line in evidence.disk.lines:
        if isinstance(line.record, Intent):
            intents[line.record.target or ""].append(line)
        if isinstance(line.record, AnswerSeen):
            answers[line.record.target or ""][line.record.attempt] = line.record
    return intents, answers


def _answered(evidence: Evidence, post: Post, attempt: int, answer: AnswerSeen | None) -> Found:
    """An answer is written, whenever it comes; only death and a full disk may lose it, and only what is on its way."""
    if post.ended_s is None:
        return
    process = evidence.process(post.session)
    if answer is None:
        lost_with_it = post.ended_s >= process.ended_s - evidence.disk.delay_s - _TINY_S
        if process.how in ("ended", "replaced") or (process.how == "died" and not lost_with_it):
            yield Violation(Rule.ANSWER, f"{post.proxy_id}: the answer to attempt {attempt} is not in the journal")
        return
    if post.answer is not None and not post.spoiled and (answer.http_status, answer.update_result) != _said(post):
        yield Violation(Rule.ANSWER, f"{post.proxy_id}: attempt {attempt} was answered otherwise than {answer}")


def _said(post: Post) -> tuple[int, tuple[Entry, ...]]:
    """Status and entries of a whole answer, read by itself."""
    if post.answer is None:
        raise LookupError(post)
    status = post.answer.status
    if status != 200:
        return status, ()
    try:
        rows = msgspec.json.decode(post.answer.body)["update_result"]
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
        return status, ()
    return status, tuple(_entry(row) for row in rows)


def _entry(row: dict[str, str | None]) -> Entry:
    return Entry(
        instance_id=row.get("instance_id"),
        workflow_id=row.get("workflow_id") or row.get("job_id"),
        state=row.get("state"),
        error_message=row.get("error_message"),
    )


def _paces(evidence: Evidence) -> Found:
    """No second holds more calls than the rate, where the plan names one; below 1/s they are a whole period apart.

    An upgrade call has its slot first and then writes its intent, so it may leave later by what the disk
    takes for what is under way and for the intent itself. Where several hosts work that may be overtaken, some times.
    """
    tries = _OVERTAKEN if evidence.servers else 1
    for scope in evidence.fleet.plan.scopes:
        rate = scope_rate(evidence.fleet.plan, scope)
        if rate is None:
            continue
        most, within_s = max(1, int(rate)), 1.0 if rate >= 1 else 1 / rate
        within_s -= 2 * tries * evidence.disk.delay_s + _TINY_S
        if too_fast(
            evidence.wire.sent.get(service_host(scope), []),
            most,
            within_s,
            [process.began_s for process in evidence.lives],
        ):
            yield Violation(Rule.PACE, f"scope {scope.name}: more than {most} calls in {within_s:g} s")


def too_fast(sent: Sequence[float], most: int, within_s: float, begins: Sequence[float]) -> bool:
    """Whether so many plus one calls of one process lie within the time."""
    return any(
        later - earlier < within_s and not any(earlier < begin <= later for begin in begins)
        for earlier, later in zip(sent, sent[most:], strict=False)
    )


def _concurrency(evidence: Evidence, process: Process) -> Found:
    steps = []
    for post in evidence.wire.posts:
        if post.session == process.number:
            ended_s = process.ended_s if post.ended_s is None else post.ended_s
            steps += [(post.sent_s, 1), (ended_s, -1)]
    height = 0
    for at_s, step in sorted(steps):
        height += step
        if height > process.plan.limits.concurrency:
            yield Violation(Rule.PACE, f"process {process.number}: {height} upgrade calls under way at +{at_s:.2f} s")
            return
