"""A report that tells anything else than the books is found out, and what nobody could know is forgiven."""

from typing import Any

import pytest
from judge.books import Books, Start
from judge.rule import Rule

from orchestrator.tracker.report.schema import TargetReport

FIRST, SECOND = Start("p-1", "w-1", 10.0), Start("p-2", "w-2", 20.0)
AGAIN = Start("p-1", "w-3", 30.0)


def told(proxy_id: str = "p-1", *workflow_ids: str, outcome: str = "succeeded", **changes: Any) -> TargetReport:
    nothing = dict.fromkeys(["wave", "source_version", "reason", "settled_by", "job", "verified_version"])
    when = dict.fromkeys(["evidence", "started_at", "settled_at"])
    place: dict[str, Any] = {
        "scope": "default",
        "project_id": None,
        "instance_id": "i-1",
        "labels": {},
        "target_version": "2",
    }
    fields = {**nothing, **when, **place, "attempts": [], "workflow_ids": list(workflow_ids), **changes}
    return TargetReport(proxy_id=proxy_id, outcome=outcome, **fields)


def broken(books: Books, *targets: TargetReport) -> list[Rule]:
    return [violation.rule for violation in books.judge(targets)]


def test_a_report_that_names_every_start_is_right() -> None:
    assert broken(Books([FIRST, SECOND]), told("p-1", "w-1"), told("p-2", "w-2")) == []


def test_a_second_start_is_found_whether_it_is_told_or_not() -> None:
    assert broken(Books([FIRST, AGAIN]), told("p-1", "w-1", "w-3")) == [Rule.ONCE]
    assert broken(Books([FIRST, AGAIN])) == [Rule.ONCE]


def test_what_follows_from_the_word_of_a_person_is_theirs() -> None:
    assert broken(Books([FIRST, AGAIN], {"p-1": 20.0}), told("p-1", "w-1", "w-3")) == []
    assert broken(Books([FIRST, AGAIN], {"p-1": 5.0}), told("p-1", "w-1", "w-3")) == [Rule.ONCE]


def test_a_call_that_left_so_late_that_another_was_decided_meanwhile_is_none_of_two_and_is_told_all_the_same() -> None:
    class Asleep(Books):
        def left_late(self, start: Start) -> bool:
            return start is FIRST

    assert broken(Asleep([FIRST, AGAIN]), told("p-1", "w-1", "w-3")) == []
    assert broken(Asleep([FIRST, AGAIN]), told("p-1", "w-3")) == [Rule.FOUND]
    assert broken(Asleep([FIRST, AGAIN, Start("p-1", "w-4", 40.0)])) == [Rule.ONCE]


@pytest.mark.parametrize("outcome", ["succeeded", "rejected", "waiting", "already"])
def test_a_start_that_is_not_told_is_lost(outcome: str) -> None:
    assert broken(Books([FIRST]), told(outcome=outcome)) == [Rule.FOUND]


@pytest.mark.parametrize(
    "target",
    [
        told(outcome="in_doubt"),
        told(outcome="in_flight"),
        told(reason="workflow_id not recovered"),
        told(evidence=["version only, workflow_id not recovered"]),
        told(evidence=["settled as not sent by ann: seen"], outcome="rejected"),
        told(settled_by="ann"),
    ],
)
def test_what_is_open_stated_or_decided_by_a_person_is_not_lost(target: TargetReport) -> None:
    assert broken(Books([FIRST]), target) == []


def test_the_workflow_of_another_may_not_be_claimed() -> None:
    assert broken(Books([FIRST, SECOND]), told("p-1", "w-1", "w-2"), told("p-2", "w-2")) == [Rule.TRUE]


def test_a_world_may_excuse_more() -> None:
    class Kind(Books):
        def excuses(self, target: TargetReport, start: Start) -> bool:
            return target.proxy_id == "p-1" or start.sent_s < 0

    assert broken(Kind([FIRST, SECOND]), told("p-1", "w-2"), told("p-2", "w-2")) == []
