"""The judge sees what is wrong in a journal that somebody tampered with, and nothing in one that was not."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TypeVar

import pytest
from fakes import acts
from fakes.clouds import FakeCloud
from fakes.rollouts import FREE, LENIENT
from fakes.stage import Played, Stage, plan_of, targets_of
from judge.journal import JournalJudge, expect_kept
from judge.report import report_rules
from judge.rule import Rule
from judge.session import Session
from msgspec.structs import replace

from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Plan, Wave
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import Record
from orchestrator.model.reply.reply import Exchange, Refused
from orchestrator.tracker.report.build import build_report
from orchestrator.tracker.report.schema import Report

#: Changes a journal.
Tamper = Callable[[list[Record]], list[Record]]

T = TypeVar("T", bound=Record)

_TARGETS = targets_of(6)
_FIRST, _LOST = _TARGETS[0].proxy_id, _TARGETS[1].proxy_id
_UNREAD = Refused("no permission", Exchange(http_status=403))
_WAVES = (Wave(name="one", size=Amount(3), soak_s=600.0), Wave(name="rest"))


@pytest.fixture(scope="module")
def played() -> Played:
    """Six targets in two waves; a request gets lost, and is sent again."""

    def lose_one(cloud: FakeCloud) -> None:
        cloud.acts[_LOST] = [acts.LOST_REQUEST]

    return Stage(plan=_plan(), cloud_of=lose_one).play()


def _plan() -> Plan:
    return plan_of(_TARGETS, waves=_WAVES, failures=LENIENT, limits=FREE)


def _seen(records: list[Record], session: Session | None = None) -> set[Rule]:
    judge = JournalJudge(_plan(), None if session is None else (lambda _number: session))
    return {violation.rule for violation in judge.read(records)}


def test_a_good_journal_is_good(played: Played) -> None:
    met = expect_kept(_plan(), played.records)

    assert met["outcome: succeeded"] == 6
    assert met["starts"] == 7
    assert met["waves soaked"] == 1


def _without(kind: type[Record]) -> Tamper:
    """The first of a kind is missing."""

    def tamper(records: list[Record]) -> list[Record]:
        gone = next(record for record in records if isinstance(record, kind))
        return [record for record in records if record is not gone]

    return tamper


def _twice(kind: type[Record]) -> Tamper:
    """The first of a kind is there twice."""

    def tamper(records: list[Record]) -> list[Record]:
        at = next(at for at, record in enumerate(records) if isinstance(record, kind))
        return [*records[: at + 1], records[at], *records[at + 1 :]]

    return tamper


def _changed(kind: type[T], change: Callable[[T], Record]) -> Tamper:
    """Every one of a kind is another."""
    return lambda records: [change(record) if isinstance(record, kind) else record for record in records]


def _put_before(kind: type[Record], more: Callable[[Record], Record]) -> Tamper:
    """Something comes before the first of a kind."""

    def tamper(records: list[Record]) -> list[Record]:
        at = next(at for at, record in enumerate(records) if isinstance(record, kind))
        return [*records[:at], more(records[at]), *records[at:]]

    return tamper


def _held(record: Record) -> Record:
    return r.HoldSet(at=record.at, cause="person", reason="wait", by="ann")


def _late(record: Record) -> Record:
    return r.FollowTimedOut(at=record.at, target=record.target, attempt=1, why="")


_TAMPERED: list[tuple[str, Tamper, Rule]] = [
    ("an intent is missing", _without(r.Intent), Rule.INTENT),
    ("an intent is there twice", _twice(r.Intent), Rule.INTENT),
    ("one token for all", _changed(r.Intent, lambda each: replace(each, token="t")), Rule.INTENT),
    ("no preflight", _without(r.PreflightDone), Rule.TIME),
    ("another version was read", _changed(r.Intent, lambda each: replace(each, source_version="1.0")), Rule.TIME),
    ("no session has begun", _without(r.SessionStarted), Rule.TIME),
    ("a hold", _put_before(r.Intent, _held), Rule.HOLD),
    ("no wave opens", _without(r.WaveOpened), Rule.WAVES),
    ("a wave does not end", _without(r.WaveDone), Rule.WAVES),
    ("a wave does not soak", _without(r.WaveSoaking), Rule.WAVES),
    (
        "a soak is short",
        _changed(r.WaveSoaking, lambda each: replace(each, until=each.until - timedelta(seconds=1))),
        Rule.WAVES,
    ),
    (
        "nothing is read after a soak",
        _changed(r.Reverified, lambda each: r.CommandIgnored(at=each.at, command=1, why="")),
        Rule.WAVES,
    ),
    (
        "a doubt ends soon",
        _changed(r.AttemptDisproved, lambda each: replace(each, at=each.at - timedelta(hours=1))),
        Rule.DISPROVED,
    ),
    (
        "a doubt is put off",
        _put_before(
            r.AttemptDisproved,
            lambda each: r.Postponed(at=each.at, target=each.target, attempt=1, wave="one", why="", until=each.at),
        ),
        Rule.DISPROVED,
    ),
    ("a job is another's", _changed(r.JobSeen, lambda each: replace(each, workflow_id="other")), Rule.SEEN),
    ("it ends twice", _twice(r.Settled), Rule.TRUE),
    ("no version was seen", _changed(r.Settled, lambda each: replace(each, verified_version=None)), Rule.TRUE),
    ("nothing began", _changed(r.Settled, lambda each: replace(each, outcome=Outcome.REJECTED)), Rule.TRUE),
    ("no end was seen", _changed(r.JobSeen, lambda each: replace(each, ended=False)), Rule.TRUE),
    ("it takes too long at once", _put_before(r.Settled, _late), Rule.ENDS),
    ("a target has no outcome", _without(r.Settled), Rule.ENDS),
    ("the run ended long ago", _put_before(r.Settled, lambda each: r.RunEnded(at=each.at)), Rule.ENDS),
    ("a session says something else", _changed(r.SessionEnded, lambda each: replace(each, exit_code=3)), Rule.ENDS),
]


@pytest.mark.parametrize(("tamper", "rule"), [each[1:] for each in _TAMPERED], ids=[each[0] for each in _TAMPERED])
def test_what_is_wrong_in_a_journal_is_seen(played: Played, tamper: Tamper, rule: Rule) -> None:
    assert rule in _seen(tamper(list(played.records)))


def test_limits_are_those_of_the_session(played: Played) -> None:
    assert _seen(played.records, Session(replace(FREE, in_flight=Amount(1)))) == {Rule.CAPS}


def test_nothing_starts_after_a_session_was_asked_to_stop(played: Played) -> None:
    began = played.records[0].at

    assert _seen(played.records, Session(FREE, {"asked to stop": began})) == {Rule.TIME}


def test_budgets_are_counted_again(played: Played) -> None:
    strict = replace(_plan(), failures=replace(LENIENT, max=Amount(0), mode="strict"))
    judge = JournalJudge(strict)

    assert {violation.rule for violation in judge.read(played.records)} == {Rule.BUDGET}


def test_exit_70_needs_an_exception(played: Played) -> None:
    records = _changed(r.SessionEnded, lambda each: replace(each, exit_code=70))(list(played.records))

    assert _seen(records) == {Rule.ENDS}
    assert _seen(records, Session(FREE, raised=True)) == set()


def test_exit_7_needs_a_scope_that_was_given_up_or_a_proxy_that_was_not_read_after_its_soak() -> None:
    def unread_later(cloud: FakeCloud) -> None:
        cloud.reads = lambda name, _key, _number: (
            _UNREAD if name == "proxy_version" and cloud.clock.monotonic() > 800 else None
        )

    played = Stage(plan=_plan(), cloud_of=unread_later).play()

    assert played.code == 7
    assert _seen(played.records) == set()
    assert _seen([record for record in played.records if not isinstance(record, r.NotReverified)]) == {Rule.ENDS}


def _reports(played: Played) -> Iterator[tuple[str, Report]]:
    story = build_report(played.run, _plan())
    head = {name: getattr(story.head, name) for name in story.head.__struct_fields__}
    good = Report(**head, targets=list(story.targets))
    yield "", good
    yield "another order", replace(good, targets=good.targets[::-1])
    yield "a target is missing", replace(good, targets=good.targets[1:])
    yield "an id is missing", replace(good, targets=[replace(each, workflow_ids=[]) for each in good.targets])
    yield "another outcome", replace(good, targets=[replace(each, outcome="failed") for each in good.targets])
    yield "an attempt is missing", replace(good, targets=[replace(each, attempts=[]) for each in good.targets])


def test_what_is_wrong_in_a_report_is_seen(played: Played) -> None:
    for what, report in _reports(played):
        rules = {violation.rule for violation in report_rules(_plan(), played.records, report)}
        assert rules == ({Rule.REPORT} if what else set()), what
