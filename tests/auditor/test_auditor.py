"""The auditor believes a true report, and finds every value in it that no line of the journal backs."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias
from zlib import crc32

import pytest
from auditor.__main__ import main
from auditor.audit import audit, examine
from auditor.journal import Book, read_book
from fakes import acts
from fakes.acts import Act, Fate, rejecting, throttling
from fakes.clouds import NEW, FakeCloud
from fakes.stage import Stage, later, plan_of, targets_of

from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Follow, Limits, Wave
from orchestrator.model.plan.selection import Selector
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.part_record import USAGE
from orchestrator.model.record.record import Settled
from orchestrator.tracker.journal.line import encode_lines
from orchestrator.tracker.report.build import build_report
from orchestrator.tracker.report.json_form import report_chunks

Lines: TypeAlias = list[dict[str, Any]]

#: By the place of a target in the plan: what its calls come to.
_ACTS: dict[int, list[Act]] = {
    1: [rejecting("no subnet ip")],
    2: [acts.LOST_ANSWER],
    3: [acts.LOST_REQUEST, throttling(5.0)],
    4: [acts.PARTIAL],
    5: [acts.refusing("DBS.280404", "not supported here")],
    6: [acts.BUSY, acts.UNSENT],
    7: [acts.ACCEPT_WITHOUT_ID],
    11: [acts.LOST_REQUEST] * 9,
}
_FATES = {
    7: Fate(listed=False),
    8: Fate(status="Failed", flips=None, fail_reason="disk"),
    9: Fate(flips=None),
    10: Fate(duration_s=1e7, flips=None),
}


def _prepare(cloud: FakeCloud) -> None:
    for number, proxy_id in enumerate(cloud.proxies):
        cloud.acts[proxy_id] = _ACTS.get(number, [])
        cloud.fates[proxy_id] = _FATES.get(number, Fate())
    cloud.versions[next(iter(cloud.proxies))] = NEW


async def _settle_the_one_that_hangs(dispatcher: Dispatcher) -> None:
    session = dispatcher.session
    state = session.run.state(list(session.run.targets)[10])
    settled = Settled(**session.about(state), outcome=Outcome.FAILED, reason="settled by ann", settled_by="ann")
    await dispatcher.overrule(settled)


def _sicken(dispatcher: Dispatcher) -> None:
    """A node of a proxy fails during the soak."""
    cloud = dispatcher.session.scopes["default"].api
    assert isinstance(cloud, FakeCloud)
    (job,) = cloud.by_proxy[list(cloud.proxies)[12]]
    job.fate = replace(job.fate, nodes=("ACTIVE", "ABNORMAL"))


@cache
def _files() -> tuple[bytes, bytes]:
    """Journal and report of a run in which about everything happens."""
    everything = Amount(100, percent=True)
    plan = plan_of(
        targets_of(16),
        waves=(Wave(name="first", select=Selector(labels={"app": "a0"}), soak_s=600.0), Wave(name="rest")),
        limits=Limits(in_flight=Amount(20), concurrency=10, rate=20.0, ramp=False),
        failures=Failures(max=everything, max_rejected=everything, mode="soft"),
        follow=Follow(timeout_s=4000.0),
    )
    script = (later(1500.0, _sicken), later(3000.0, _settle_the_one_that_hangs))
    played = Stage(plan=plan, cloud_of=_prepare, script=script).play()
    report = b"".join(report_chunks(build_report(played.run, plan)))
    return encode_lines(played.records, 1), report


def _write(folder: Path, journal: bytes, report: Any) -> Path:
    (folder / "journal.ndjson").write_bytes(journal)
    (folder / "report.json").write_bytes(report if isinstance(report, bytes) else json.dumps(report).encode())
    return folder


def test_of_a_true_report_every_claim_is_backed(tmp_path: Path) -> None:
    assert audit(_write(tmp_path, *_files())) == []
    assert main([str(tmp_path)]) == 0
    told = json.loads(_files()[1])["totals"]["outcomes"]
    assert told == {"succeeded": 8, "already": 1, "rejected": 2, "failed": 3, "mismatch": 1, "in_doubt": 1}


@pytest.mark.parametrize("to", ["accepted", "verified"])
@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize("per_instance", [1, 3])
def test_of_targets_that_were_answered_one_workflow_each_claim_is_backed(
    tmp_path: Path, concurrency: int, per_instance: int, to: Any
) -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.default_fate = Fate(named=True)
        for key in cloud.proxies:
            cloud.acts[key] = [Act(lambda _i, _j: acts.ok((None, "of-nobody")), effect=True)]

    limits = Limits(ramp=False, in_flight=Amount(9), concurrency=concurrency, per_instance=per_instance)
    targets = targets_of(3, per_instance=per_instance)
    plan = plan_of(targets, waves=(Wave(name="all"),), limits=limits, follow=Follow(to=to))
    played = Stage(plan=plan, cloud_of=setup).play()
    report = b"".join(report_chunks(build_report(played.run, plan)))
    assert audit(_write(tmp_path, encode_lines(played.records, 1), report)) == []
    assert b"given to another target too" in report


# --- reports that were tampered with ----------------------------------------------------------------------------------

#: What the plan says, or what follows from it or from the cloud's documents, and no line of the journal.
_OF_THE_PLAN = frozenset(
    {"schema", "region", "project_id", "scope", "instance_id", "labels", "facts", "remedy", "in_common", "where"}
)


def _other(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return value + "x"
        case None:
            return "made up"
        case [*items]:
            return items[:-1] or ["made up"]
        case _:
            return {"made up": 1}


def _tampered(value: Any, place: str = "") -> Iterator[str]:
    """Change one value of a report after another, each until the next one is asked for.

    A value of the plan is left alone, but for the entries of answers.
    """
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(pairs):
        if key in _OF_THE_PLAN and "update_result" not in place:
            continue
        value[key] = _other(inner)
        yield f"{place}/{key}"
        value[key] = inner
        if isinstance(inner, dict | list):
            yield from _tampered(inner, f"{place}/{key}")


def _book(journal: bytes, folder: Path) -> Book:
    path = folder / "journal.ndjson"
    path.write_bytes(journal)
    return read_book(path)


@pytest.mark.slow
def test_every_single_value_that_is_changed_is_found(tmp_path: Path) -> None:
    journal, report = _files()
    book, changed = _book(journal, tmp_path), json.loads(report)
    places = {place: len(examine(changed, book)) for place in _tampered(changed)}
    assert len(places) > 700
    assert [place for place, problems in places.items() if not problems] == []
    assert examine(changed, book) == []


def test_calls_that_nobody_counted_are_not_hidden_and_not_made_up(tmp_path: Path) -> None:
    journal, report = _files()
    counted = json.loads(report)
    least = {**counted, "totals": {**counted["totals"], "calls_at_least": True}}
    assert examine(least, _book(journal, tmp_path))
    lines = [json.loads(line) for line in journal.splitlines()]
    begun = next(line for line in lines if line["record"] == "session_started")
    killed = _rewritten([*lines[:-1], begun, lines[-1]])
    assert any("calls_at_least" in problem for problem in examine(counted, _book(killed, tmp_path)))
    uncounted = {**begun, "record": "part_failed", "part": USAGE, "error": "KeyError", "ends": False}
    failed = _rewritten([*lines[:-1], uncounted, lines[-1]])
    assert any("calls_at_least" in problem for problem in examine(counted, _book(failed, tmp_path)))


# --- journals that were tampered with ---------------------------------------------------------------------------------


def _rewritten(lines: Lines) -> bytes:
    """The lines with new numbers and checksums: somebody who knows the form has left no other trace."""
    rewritten = []
    for number, line in enumerate(lines, 1):
        fields = {**line, "seq": number}
        del fields["crc"]
        head = json.dumps(fields, separators=(",", ":"), ensure_ascii=False)[:-1].encode()
        rewritten.append(b'%b,"crc":"%08x"}\n' % (head, crc32(head)))
    return b"".join(rewritten)


#: Records on which a claim of the report rests; of the others nothing is claimed.
_CLAIMED = (
    *("run_started", "session_started", "session_ended", "run_ended", "wave_opened", "wave_done", "scope_used"),
    *("intent", "answer_seen", "doubt_looked", "workflow_adopted", "version_adopted", "attempt_disproved"),
    *("doubt_remains", "settled", "reverified"),
)


@pytest.mark.parametrize("record", _CLAIMED)
def test_a_line_that_is_taken_out_without_a_trace_is_missed(tmp_path: Path, record: str) -> None:
    journal, report = _files()
    lines = [json.loads(line) for line in journal.splitlines()]
    places = [place for place, line in enumerate(lines) if line["record"] == record and line.get("healthy") is not True]
    assert places or record == "run_ended", "the run has no such line"
    for place in places[:4]:
        without = _rewritten([*lines[:place], *lines[place + 1 :]])
        assert examine(json.loads(report), _book(without, tmp_path)), lines[place]
    assert examine(json.loads(report), _book(_rewritten(lines), tmp_path)) == []


def test_damage_is_told_with_its_line(tmp_path: Path) -> None:
    journal, report = _files()
    flipped = journal.replace(b'"attempt":1', b'"attempt":2', 1)
    lines = journal.splitlines(keepends=True)
    for damaged, words in (
        (flipped, "the checksum does not match"),
        (b"".join(lines[:5] + lines[6:]), "line 6: its number is 7"),
        (b"".join(lines[:5] + lines[4:]), "line 6: its number is 5"),
    ):
        assert words in "\n".join(examine(json.loads(report), _book(damaged, tmp_path)))


def _sent_twice(lines: Lines) -> None:
    """A second intent follows the first, and the report knows of both."""
    place = next(place for place, line in enumerate(lines) if line["record"] == "intent")
    lines.insert(place + 1, {**lines[place], "attempt": 2, "token": "another"})


def _one_token(lines: Lines) -> None:
    for line in lines:
        if line["record"] == "intent":
            line["token"] = "the same"


def _late_answer_twice(lines: Lines) -> None:
    place = next(place for place, line in enumerate(lines) if line["record"] == "answer_seen")
    lines.insert(place + 1, lines[place])


def _not_disproved(lines: Lines) -> None:
    lines[:] = [line for line in lines if line["record"] != "attempt_disproved"]


def _sent_after_its_end(lines: Lines) -> None:
    settled = next(line for line in lines if line["record"] == "settled" and line["attempt"])
    intent = next(line for line in lines if line["record"] == "intent" and line["target"] == settled["target"])
    lines.insert(lines.index(settled) + 1, {**intent, "attempt": settled["attempt"] + 1, "token": "another"})


_PROMISES: dict[Callable[[Lines], None], str] = {
    _sent_twice: "nothing shows that the one before did not begin",
    _not_disproved: "nothing shows that the one before did not begin",
    _one_token: "a token was used twice",
    _late_answer_twice: "was answered before",
    _sent_after_its_end: "sent after it was settled",
}


@pytest.mark.parametrize(("change", "words"), _PROMISES.items(), ids=[each.__name__ for each in _PROMISES])
def test_a_journal_that_tells_of_a_broken_promise_is_found_out(
    tmp_path: Path, change: Callable[[Lines], None], words: str
) -> None:
    journal, report = _files()
    lines = [json.loads(line) for line in journal.splitlines()]
    change(lines)
    assert words in "\n".join(examine(json.loads(report), _book(_rewritten(lines), tmp_path)))


def test_the_command_says_so_and_ends_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal, report = _files()
    folder = _write(tmp_path, journal, report.replace(b'"outcome":"rejected"', b'"outcome":"succeeded"', 1))
    assert main([str(folder)]) == 1
    assert "it is succeeded: the journal says rejected" in capsys.readouterr().out
    assert main([]) == 2
