"""Whether everything that a report says of a target stands in a line of the journal, and whether that line suffices."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from auditor.aside import aside_problems, is_aside
from auditor.ids import Ids
from auditor.journal import Book, Line, may_be_sent_again, nos_in, trouble_in
from auditor.person import stuck_problems

#: Where a target may stand that has no outcome.
_STANDING = frozenset({"waiting", "in_flight", "in_doubt", "timed_out"})

#: Outcomes by which nothing of ours began.
_NOTHING_BEGAN = frozenset({"already", "rejected", "deferred", "skipped", "not_started"})

#: Outcomes of what was upgraded, as far as it was followed.
#: Facts of an answer that the report repeats.
_FACTS = ("duration_ms", "http_status", "request_id", "error_code", "error_msg", "update_result", "verdict", "reason")

#: Which field of a record is told as evidence.
_EVIDENCE = {
    "doubt_looked": "finding",
    "not_reverified": "finding",
    "workflow_adopted": "evidence",
    "version_adopted": "evidence",
    "version_reached": "evidence",
    "attempt_disproved": "evidence",
    "doubt_renewed": "why",
    "settled": "evidence",
}

#: Which field of a record is told as the reason.
_REASONS = {"settled": "reason", "doubt_remains": "why", "follow_timed_out": "why", "postponed": "why"}


def claim_problems(target: Line, book: Book, ids: Ids) -> Iterator[str]:
    """Everything that the report says of one target and the journal does not."""
    lines = book.of.get(target["proxy_id"], [])
    kept = next((line for line in lines if line["record"] == "outcome_kept"), None)
    if kept:
        problems = _kept(target, kept)
    elif is_aside(target, lines):
        problems = aside_problems(target, lines)
    else:
        problems = Claim(target, lines, ids).problems()
    for problem in problems:
        yield f"{target['proxy_id']}: {problem}"


def _kept(target: Line, line: Line) -> Iterator[str]:
    """What an earlier run said is told as it was; a key that it did not have then is null, and nobody was needed."""
    entry = line["entry"]
    before = {"needs_person": False, **entry}
    same = all(before.get(key) == target.get(key) for key in {*entry, *target})
    if not same or line["outcome"] != target["outcome"]:
        yield "it keeps an earlier outcome, and is told otherwise than it was kept"


def _broken_off(failed: Line) -> str:
    return trouble_in(failed) if failed.get("host") else f"internal error: {trouble_in(failed)}"


def _who(line: Line) -> str:
    """The person of a line; the host was not always recorded."""
    return f"{line['settled_by']}@{line['host']}" if line.get("host") else str(line["settled_by"])


def _said(line: Line) -> str | None:
    """What a line tells as evidence."""
    if line["record"] == "story_failed":
        return _broken_off(line)
    if line["record"] == "returned_to_waiting":
        return f"settled as not sent by {_who(line)}: {line['note']}"
    return line.get(_EVIDENCE.get(line["record"], "")) or None


class Claim:
    """What is claimed of one target, beside its lines."""

    def __init__(self, target: Line, lines: list[Line], ids: Ids) -> None:
        self.target = target
        self.lines = lines
        self.ids = ids
        self.intents = self.named("intent")
        self.answers = {line["attempt"]: line for line in self.named("answer_seen")}
        self.settled = next(reversed(self.named("settled")), None)
        self.spoilt = next((line for line in self.named("reverified") if not line["healthy"]), None)

    def named(self, *names: str) -> list[Line]:
        """The target's lines of some records."""
        return [line for line in self.lines if line["record"] in names]

    def problems(self) -> Iterator[str]:
        """Everything that has no line, or not the line that it needs."""
        yield from self._attempts()
        if list(map(str.lower, self.target["workflow_ids"])) != list(self.ids.of[self.target["proxy_id"]]):
            yield f"workflow_ids is {self.target['workflow_ids']!r}, and not what its lines give"
        for name, backed in self._backed().items():
            if self.target[name] != backed:
                yield f"{name} is {self.target[name]!r}, the journal says {backed!r}"
        yield from self._reason()
        yield from self._outcome()
        yield from stuck_problems(self.target, self.lines, told=bool(self.ids.told[self.target["proxy_id"]]))

    # --- word for word -----------------------------------------------------------------------------------------------

    def _attempts(self) -> Iterator[str]:
        told = self.target["attempts"]
        if [(each["number"], each["at"]) for each in told] != [(each["attempt"], each["at"]) for each in self.intents]:
            yield f"{len(told)} attempts, {len(self.intents)} intents"
            return
        for attempt in told:
            answer = self.answers.get(attempt["number"], {"update_result": []})
            wrong = [name for name in _FACTS if attempt[name] != answer.get(name)]
            if wrong:
                yield f"attempt {attempt['number']}: {', '.join(wrong)} is not what was answered"

    def _backed(self) -> dict[str, Any]:
        """What the report must say, by the journal."""
        settled = self.settled or {}
        readings = [line["version"] for line in self.named("reverified") if line["version"]]
        backed = {
            "settled_by": settled.get("settled_by"),
            "settled_host": settled.get("host") or None,
            "settled_at": settled.get("at"),
            "verified_version": readings[-1] if readings else settled.get("verified_version"),
            "evidence": self._evidence() or None,
            "started_at": self.intents[0]["at"] if self.intents else None,
            "wave": next((line["wave"] for line in self.lines if line.get("wave")), None),
            "job": self._job(),
            "earlier": self._earlier(),
        }
        read = self.named("preflight_done")
        if self.intents:
            backed["source_version"] = self.intents[-1]["source_version"]
            backed["target_version"] = self.intents[-1]["target_version"]
        elif read:
            backed["source_version"] = read[-1]["current_version"]
        return backed

    def _earlier(self) -> Line | None:
        known = next(iter(self.named("earlier_outcome")), None)
        return known and {name: known[name] for name in ("run_id", "outcome", "reason", "workflow_ids")}

    def _evidence(self) -> list[str]:
        found = [(line["seq"], said) for line in self.lines if (said := _said(line))]
        found += self.ids.told[self.target["proxy_id"]]
        return [said for _, said in sorted(found, key=lambda each: each[0])]

    def _last_of_each_job(self) -> list[Line]:
        lines = {line["workflow_id"]: line for line in self.named("job_seen")}
        return [line for workflow, line in lines.items() if workflow in self.target["workflow_ids"]]

    def _job(self) -> Line | None:
        """The job that went worst, else the last that was seen."""
        jobs = self._last_of_each_job()
        if not jobs:
            return None
        worst = max(jobs, key=lambda job: (_badness(job), datetime.fromisoformat(job["at"])))
        return {name: worst[name] for name in ("status", "ended_at", "fail_reason")}

    def _reason(self) -> Iterator[str]:
        reason = self.target["reason"]
        said = [line[_REASONS[line["record"]]] for line in self.lines if line["record"] in _REASONS]
        said += map(_broken_off, self.named("story_failed"))
        own = self.spoilt["finding"] if self.spoilt else self.settled["reason"] if self.settled else None
        expected = self._with_noes(own)
        if self.settled and reason != expected:
            yield f"reason is {reason!r}, the journal says {expected!r}"
        elif not self.settled and reason not in {self._with_noes(each) for each in (None, *said)}:
            yield f"no line gives the reason {reason!r}"

    def _with_noes(self, own: str | None) -> str | None:
        """A reason with each no of the cloud that it does not tell itself."""
        noes = dict.fromkeys(no for line in self.named("answer_seen") for no, _code in nos_in(line))
        untold = "; ".join(no for no in noes if no not in (own or ""))
        if own or not untold:
            return f"{own}; the cloud also said no: {untold}" if untold else own
        seen = self.target["outcome"] == "succeeded" and self.target["verified_version"] is not None
        return f"{'upgraded, although ' if seen else ''}the cloud said no: {untold}"

    # --- the outcome -------------------------------------------------------------------------------------------------

    def _outcome(self) -> Iterator[str]:
        outcome = self.target["outcome"]
        if self.settled is None:
            problem = self._standing(outcome) if outcome in _STANDING else "nothing settled it"
        else:
            expected = "failed" if self.spoilt else self.settled["outcome"]
            problem = None if outcome == expected else f"the journal says {expected}"
            problem = problem or (None if self.settled["settled_by"] else self._suffices(outcome))
        if problem is not None:
            yield f"it is {outcome}: {problem}"

    def _standing(self, standing: str) -> str | None:
        if standing == "timed_out":
            return None if self.named("follow_timed_out") else "no line says that its time was over"
        if standing == "in_doubt":
            doubts = self.named("answer_missing", "doubt_looked", "doubt_renewed", "doubt_remains", "story_failed")
            told = self.ids.told[self.target["proxy_id"]]
            return None if doubts or told or self._doubtful() else "no line says so"
        if standing == "in_flight":
            return None if self.intents else "nothing was sent"
        return None if self._nothing_open() else "an attempt of it may have begun"

    def _doubtful(self) -> bool:
        return any(answer["verdict"] == "in_doubt" for answer in self.answers.values())

    def _nothing_open(self) -> bool:
        return not self.intents or may_be_sent_again(self.lines)

    def _suffices(self, outcome: str) -> str | None:
        """Whether the lines before an outcome are those that it needs."""
        if outcome in _NOTHING_BEGAN:
            return self._nothing_began(outcome)
        accepted = any(answer["verdict"] in ("accepted", "partial") for answer in self.answers.values())
        if not (
            accepted or self.target["workflow_ids"] or self.named("version_adopted") or self._accepted_without_id()
        ):
            return "no line says that anything began"
        checks = {"succeeded": self._succeeded, "failed": self._failed, "mismatch": self._mismatch}
        return checks[outcome]() if outcome in checks else None

    def _accepted_without_id(self) -> bool:
        entries = (entry for answer in self.answers.values() for entry in answer["update_result"])
        return any(map(_accepts, entries)) and "not recovered" in json.dumps(self.target)

    def _nothing_began(self, outcome: str) -> str | None:
        if self.target["workflow_ids"] or self.named("version_adopted"):
            return "something began"
        if outcome == "already" and self.intents:
            return "this run sent an upgrade for it"
        if outcome == "already":
            read = [line["current_version"] for line in self.named("preflight_done")]
            version = self.target["verified_version"] or next(reversed(read), "")
            return None if _at_least(version, self.target["target_version"]) else f"it ran {version}"
        if outcome == "rejected" and self.intents:
            verdicts = {answer["verdict"] for answer in self.answers.values()}
            return None if verdicts & {"rejected", "refused"} else f"the answers were {sorted(verdicts)}"
        return None

    def _succeeded(self) -> str | None:
        jobs = self._last_of_each_job()
        completed = bool(jobs) and {_status(job) for job in jobs} == {"completed"}
        seen = {job["workflow_id"] for job in jobs} == set(self.target["workflow_ids"])
        if not (completed and seen) and not self.named("version_reached", "version_adopted"):
            return "not every job of it was seen completed, and no version shows its end"
        version = self.target["verified_version"]
        return None if version is None or _at_least(version, self.target["target_version"]) else f"it ran {version}"

    def _failed(self) -> str | None:
        badly = [job for job in self._last_of_each_job() if job["ended"] and _status(job) != "completed"]
        unhealthy = (self.target["reason"] or "").startswith("unhealthy after the upgrade")
        return None if badly or unhealthy or self.spoilt else "no line says that anything went wrong"

    def _mismatch(self) -> str | None:
        version = self.target["verified_version"]
        reached = version is None or _at_least(version, self.target["target_version"])
        return f"it ran {version}" if reached else None


def _accepts(entry: Line) -> bool:
    return (entry["state"] or "").strip().upper() == "ACCEPT"


def _status(job: Line) -> str:
    return str(job["status"]).strip().lower()


def _badness(job: Line) -> int:
    if not job["ended"]:
        return 1
    return 0 if _status(job) == "completed" else 2


def _at_least(version: str, wanted: str) -> bool:
    try:
        return [int(part) for part in version.split(".")] >= [int(part) for part in wanted.split(".")]
    except ValueError:
        return version == wanted
