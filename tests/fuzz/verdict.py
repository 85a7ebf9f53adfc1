"""What must hold after every trial, by the cloud's own books and by what was written."""

import json
from collections.abc import Iterator

from fuzz.cloud import Cloud
from fuzz.journal import journal_rules
from fuzz.trial import Evidence
from judge.books import Books, Start

from orchestrator.tracker.report.schema import TargetReport

#: More upgrade calls for one target than retries, renewals and busy times can explain.
_MANY_CALLS = 60

#: A session that takes more processor time than this, and than each answer of it explains, was made to.
_MOST_CPU_S = 3.0
_CPU_OF_AN_ANSWER_S = 0.005

#: So much of a secret is a secret.
_PIECE = 16


def judge(evidence: Evidence) -> list[str]:
    """Every promise that was broken."""
    parts = (_ends, _secrets, _books, _ids, _others, journal_rules)
    return [violation for part in parts for violation in part(evidence)]


def _ends(evidence: Evidence) -> Iterator[str]:
    for number, ended in enumerate(evidence.ended, 1):
        said = ended.output.decode("utf-8", "replace")
        if ended.code is None and ended.crash is None:
            yield f"session {number} does not end"
        if ended.crash is not None:
            yield f"session {number} crashed: {ended.crash}"
        if "Traceback" in said or (ended.code == 70 and evidence.trial.raises is None):
            yield f"session {number} ended with {ended.code}: {_first(said, 'error')}"
        if ended.code == 70 and evidence.trial.raises and "Injected" not in said:
            yield f"session {number} ended with 70 and does not name the error: {_first(said, 'error')}"
        if ended.lost:
            yield f"session {number} lost an exception: {ended.lost[0]}"
        if ended.cpu_s > _MOST_CPU_S + evidence.answers * _CPU_OF_AN_ANSWER_S:
            yield f"session {number} took {ended.cpu_s:.1f} s of the processor"
    if evidence.ended[-1].code in (0, 1) and evidence.report is None:
        yield "there is no report"


def _first(said: str, word: str) -> str:
    return next((line for line in said.splitlines() if word in line), said[:200])


def _secrets(evidence: Evidence) -> Iterator[str]:
    for secret in evidence.secrets:
        pieces = {secret[start : start + _PIECE] for start in range(len(secret) - _PIECE + 1)}
        for name, content in evidence.written.items():
            piece = next((piece for piece in pieces if piece in content), None)
            if piece is not None:
                at = content.index(piece)
                yield f"a secret is in {name}: …{content[max(0, at - 60) : at + 8]!r}…"


class _Books(Books):
    """The cloud's books. An answer may name another workflow than the one that it started, or say that none did."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(
            [Start(each.proxy_id, job.workflow_id, job.began_s) for each in cloud.proxies for job in each.jobs]
        )
        self._denied = {each.proxy_id for each in cloud.proxies if each.denied}

    def excuses(self, target: TargetReport, start: Start) -> bool:
        if start.proxy_id != target.proxy_id:
            return False
        return bool(target.workflow_ids) or (target.proxy_id in self._denied and target.outcome != "already")


def _books(evidence: Evidence) -> Iterator[str]:
    told = () if evidence.shown is None else evidence.shown.targets
    yield from map(str, _Books(evidence.cloud).judge(told))
    for number, proxy in enumerate(evidence.cloud.proxies):
        if proxy.calls > _MANY_CALLS:
            yield f"target {number}: {proxy.calls} upgrade calls"


def _ids(evidence: Evidence) -> Iterator[str]:
    """An id that came in a whole answer is in journal and report."""
    told = {} if evidence.shown is None else {each.proxy_id: each for each in evidence.shown.targets}
    doubted = _doubted(evidence.journal)
    for number, proxy in enumerate(evidence.cloud.proxies):
        target = told.get(proxy.proxy_id)
        if proxy.proxy_id in doubted and proxy.calls == len(proxy.handed):
            yield f"target {number}: the id of a whole answer is lost, which is in doubt"
        for workflow_id in proxy.handed:
            if workflow_id.encode() not in evidence.journal:
                yield f"target {number}: workflow_id {workflow_id} is not in the journal"
            elif target is None or workflow_id not in target.workflow_ids:
                yield f"target {number}: workflow_id {workflow_id} is not in the report"


def _others(evidence: Evidence) -> Iterator[str]:
    """Targets of which nothing was answered amiss succeed, and are believed, whatever became of the others."""
    last = evidence.ended[-1].code
    if evidence.trial.raises is not None:
        yield from _beside_an_exception(evidence)
        return
    if evidence.report is None or last == 5:
        if evidence.trial.clean and last not in (5, None):
            yield f"{evidence.trial.clean} have no report: exit code {last}"
        return
    told, doubted = {each["proxy_id"]: each for each in evidence.report["targets"]}, _doubted(evidence.journal)
    for number in evidence.trial.clean:
        if evidence.cloud.proxies[number].proxy_id in doubted:
            yield f"target {number} was harmed: the right answer to its upgrade call is in doubt"
        target = told[evidence.cloud.proxies[number].proxy_id]
        if target["outcome"] != "succeeded":
            yield f"target {number} was harmed: {target['outcome']}: {target['reason']}"


def _doubted(journal: bytes) -> set[str]:
    """Targets of which an answer was not believed."""
    records = [json.loads(line) for line in journal.splitlines() if b'"answer_seen"' in line]
    return {record["target"] for record in records if record["verdict"] == "in_doubt"}


def _beside_an_exception(evidence: Evidence) -> Iterator[str]:
    if evidence.report is None:
        yield "there is no report"
        return
    outcomes = [each["outcome"] for each in evidence.report["targets"]]
    if sum(outcome != "succeeded" for outcome in outcomes) > 1:
        yield f"more than one target was harmed: {outcomes}"
