"""What must hold after every trial, by the cloud's own books and by what was written."""

import json
from collections.abc import Iterator

from fuzz.cloud import Proxy
from fuzz.journal import journal_rules
from fuzz.trial import Evidence

#: More upgrade calls for one target than retries, renewals and busy times can explain.
_MANY_CALLS = 60

#: A session that takes more processor time than this, and than each answer of it explains, was made to.
_MOST_CPU_S = 3.0
_CPU_OF_AN_ANSWER_S = 0.005

#: So much of a secret is a secret.
_PIECE = 16

#: Outcomes that say that something is not known.
_UNKNOWN = ("in_doubt", "in_flight", "timed_out")


def judge(evidence: Evidence) -> list[str]:
    """Every promise that was broken."""
    parts = (_ends, _secrets, _starts, _ids, _others, journal_rules)
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


def _starts(evidence: Evidence) -> Iterator[str]:
    for number, proxy in enumerate(evidence.cloud.proxies):
        if len(proxy.jobs) > 1:
            began = ", ".join(f"{job.began_s:.1f} to {job.ends_s:.1f}" for job in proxy.jobs)
            yield f"target {number} was upgraded {len(proxy.jobs)} times: seconds {began}"
        if proxy.calls > _MANY_CALLS:
            yield f"target {number}: {proxy.calls} upgrade calls"


def _ids(evidence: Evidence) -> Iterator[str]:
    told = {} if evidence.report is None else {each["proxy_id"]: each for each in evidence.report["targets"]}
    doubted = _doubted(evidence.journal)
    for number, proxy in enumerate(evidence.cloud.proxies):
        target = told.get(proxy.proxy_id)
        if proxy.proxy_id in doubted and proxy.calls == len(proxy.handed):
            yield f"target {number}: the id of a whole answer is lost, which is in doubt"
        ids = set() if target is None else set(target["workflow_ids"])
        for workflow_id in proxy.handed:
            if workflow_id.encode() not in evidence.journal:
                yield f"target {number}: workflow_id {workflow_id} is not in the journal"
            elif workflow_id not in ids:
                yield f"target {number}: workflow_id {workflow_id} is not in the report"
        if target is not None:
            yield from _claims(number, proxy, target["outcome"], ids, evidence)
            stated = target["outcome"] in _UNKNOWN or "not recovered" in f"{target['evidence']} {target['reason']}"
            excused = proxy.denied and target["outcome"] != "already"
            if proxy.jobs and not ids and not stated and not excused:
                yield f"target {number}: its upgrade is lost, it is {target['outcome']}: {target['reason']}"


def _claims(number: int, proxy: Proxy, outcome: str, ids: set[str], evidence: Evidence) -> Iterator[str]:
    """An id of another proxy is nobody's claim."""
    others = {job.workflow_id for each in evidence.cloud.proxies if each is not proxy for job in each.jobs}
    if ids & others:
        yield f"target {number} ({outcome}) claims the workflow_id of another one"


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
