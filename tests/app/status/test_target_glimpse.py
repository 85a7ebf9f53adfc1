"""The status of one proxy reads that proxy's records, however many targets the run has, and tells the same of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.plausible import PlausibleRun
from fakes.recorded import BEGIN, NEW, OLD, make_plan, make_targets, run_started
from msgspec import Raw, structs
from msgspec.json import encode

from orchestrator.app.status.one_proxy.target_history import life
from orchestrator.app.status.one_proxy.target_line import target_lines, target_outlook
from orchestrator.model.plan.commands import SettleCommand
from orchestrator.model.plan.target import Target
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import FAILED_BEFORE, Outcome
from orchestrator.model.record.record import Record
from orchestrator.model.reply.reply import Entry
from orchestrator.tracker.folder.state_folder import FolderRun, FolderState
from orchestrator.tracker.report.build import build_report
from orchestrator.tracker.runs.recovery import glimpse, recover

NAMED = "prod.yaml"


def kept(folder: Path, live: PlausibleRun) -> FolderRun:
    first, *rest = live.records
    assert isinstance(first, r.RunStarted)
    return begun(folder, live.targets, first, rest)


def begun(folder: Path, targets: list[Target], first: r.RunStarted, rest: list[Record]) -> FolderRun:
    run = FolderState(folder).fleet("prod", writes=True).begin(make_plan(targets), targets, first)
    journal = run.resume(2)
    if rest:
        journal.append(rest)
    journal.close()
    return run


def upgraded(key: str, workflow_id: str = "") -> Iterator[Record]:
    workflow = workflow_id or f"w-{key}"
    yield r.Intent(at=BEGIN, target=key, attempt=1, wave="rest", token="t", source_version=OLD, target_version=NEW)
    entry = Entry(workflow_id=workflow, state="ACCEPT")
    yield r.AnswerSeen(at=BEGIN, target=key, attempt=1, verdict="accepted", update_result=(entry,))
    yield r.JobSeen(at=BEGIN, target=key, attempt=1, workflow_id=workflow, status="Completed", ended=True)
    yield r.Settled(at=BEGIN, target=key, attempt=1, outcome=Outcome.SUCCEEDED, wave="rest")


@pytest.mark.parametrize("seed", range(8))
def test_what_it_tells_of_a_target_is_what_the_whole_run_says(tmp_path: Path, seed: int) -> None:
    live = PlausibleRun(seed).steps(60)
    stored = kept(tmp_path, live)
    whole = recover(stored).run
    for key in whole.targets:
        part = glimpse(stored, key)
        assert part.run.states.get(key) == whole.states.get(key)
        assert (part.run.hold, part.run.ended, part.run.sessions) == (whole.hold, whole.ended, whole.sessions)
        assert [each for each in part.records if each.target == key] == [x for x in live.records if x.target == key]


@pytest.mark.parametrize("count", [3, 300])
def test_the_records_that_are_decoded_do_not_grow_with_the_run(tmp_path: Path, count: int) -> None:
    targets = make_targets(count)
    records = [record for target in targets for record in upgraded(target.proxy_id)]
    stored = begun(tmp_path, targets, run_started(count), records)
    seen = glimpse(stored, targets[1].proxy_id)
    assert len(seen.records) == 5  # the start of the run, and its own four
    assert set(seen.run.targets) == {targets[1].proxy_id}
    assert list(life(seen, targets[1].proxy_id, BEGIN))
    assert target_outlook(seen, stored.plan(), targets[1].proxy_id, BEGIN).run is seen.run


@pytest.mark.parametrize("asked", [0, 1, 2])
def test_a_workflow_that_is_given_to_several_makes_them_tell_of_each_other(tmp_path: Path, asked: int) -> None:
    targets = make_targets(4)
    first, second, third, fourth = (target.proxy_id for target in targets)
    both = (Entry(workflow_id="w2", state="ACCEPT"), Entry(workflow_id="w1", state="ACCEPT"))
    records: list[Record] = [
        *list(upgraded(first, "w1"))[:2],
        *list(upgraded(third, "w2"))[:2],
        next(upgraded(second)),
        r.AnswerSeen(at=BEGIN, target=second, attempt=1, verdict="accepted", update_result=both),
        *upgraded(fourth),
    ]
    stored, key = begun(tmp_path, targets, run_started(4), records), targets[asked].proxy_id
    seen = glimpse(stored, key)
    assert seen.run.states[key] == recover(stored).run.states[key]
    assert set(seen.run.targets) == {first, second, third}


@pytest.mark.parametrize(
    ("version", "said", "last"),
    [
        (NEW, "upgraded, although the cloud said no: no ip", f"runs {NEW}"),
        (None, "the cloud said no: no ip", "not read"),
    ],
)
def test_its_outcome_says_what_was_refused_and_whether_the_version_was_read(
    tmp_path: Path, version: str | None, said: str, last: str
) -> None:
    targets = make_targets(1)
    key = targets[0].proxy_id
    first, answer, job, settled = upgraded(key)
    mixed = (Entry(workflow_id="w", state="ACCEPT"), Entry(state="REJECT", error_message="no ip"))
    refused = structs.replace(answer, verdict="partial", update_result=mixed)
    records: list[Record] = [first, refused, job, structs.replace(settled, verified_version=version)]
    (line,) = (
        line
        for line in life(glimpse(begun(tmp_path, targets, run_started(1), records), key), key, BEGIN)
        if line.startswith("now: ")
    )
    assert line.startswith(f"now: succeeded: {said} (")
    assert line.endswith(last)


def test_one_that_waits_for_its_turn_needs_the_whole_run(tmp_path: Path) -> None:
    targets = make_targets(3)
    stored = begun(tmp_path, targets, run_started(3), list(upgraded(targets[0].proxy_id)))
    seen = glimpse(stored, targets[1].proxy_id)
    outlook = target_outlook(seen, stored.plan(), targets[1].proxy_id, BEGIN)
    assert outlook.run.total == 3
    assert list(target_lines(outlook, targets[1].proxy_id, NAMED))


def test_what_a_person_has_asked_for_an_open_one_counts_already(tmp_path: Path) -> None:
    targets = make_targets(3)
    key = targets[0].proxy_id
    stored = begun(tmp_path, targets, run_started(3), list(upgraded(key))[:2])
    seen = glimpse(stored, key)
    (line,) = target_lines(target_outlook(seen, stored.plan(), key, BEGIN), key, NAMED)
    assert line.startswith("waits for: the end of its upgrade")
    stored.fleet.give(SettleCommand(at=BEGIN, user="ann", note="saw it", proxy_id=key, outcome="succeeded"))
    again = target_outlook(glimpse(stored, key), stored.plan(), key, BEGIN)
    assert list(target_lines(again, key, NAMED)) == ["waits for: nothing: it has its outcome; do: nothing"]


def test_one_that_a_redo_leaves_alone_stands_as_the_report_has_it(tmp_path: Path) -> None:
    targets = make_targets(2)
    key, other = (target.proxy_id for target in targets)
    refused = r.Settled(at=BEGIN, target=key, outcome=Outcome.REJECTED, reason="no ip", wave="rest")
    night = begun(
        tmp_path, targets, run_started(2, run_id="20260301T220000000Z-aaaaaa"), [next(upgraded(key)), refused]
    )
    entry = next(iter(build_report(recover(night).run, night.plan()).targets))
    known = r.EarlierOutcome(at=BEGIN, target=key, run_id=night.run_id, outcome=Outcome.REJECTED, reason="no ip")
    left = r.Settled(at=BEGIN, target=key, outcome=Outcome.SKIPPED, reason=FAILED_BEFORE)
    begun(tmp_path, targets, run_started(2, run_id="20260302T220000000Z-aaaaaa"), [known, left])
    keeps = r.OutcomeKept(at=BEGIN, target=key, outcome=Outcome.REJECTED, position=0, entry=Raw(encode(entry)))
    redo = begun(tmp_path, targets[1:], run_started(1, run_id="20260303T220000000Z-aaaaaa"), [keeps, *upgraded(other)])
    seen = glimpse(redo, key)
    told = [*life(seen, key, BEGIN), *target_lines(target_outlook(seen, redo.plan(), key, BEGIN), key, NAMED)]
    assert told[1] == "now: rejected: no ip (the cloud said no, and nothing was started)"
    redone = "redo it with --only-outcome rejected; until then: orchestrator run prod.yaml"
    assert told[-1].endswith(f"do: remove the cause, then, when the run has ended, {redone}")
    assert sum(line.startswith(("now:", "before:")) and "rejected: no ip" in line for line in told) == 1


def test_a_wave_that_is_over_but_for_one_target_can_be_told_of_each(tmp_path: Path) -> None:
    targets = make_targets(3)
    done, waits, undrawn = (target.proxy_id for target in targets)
    over = r.WaveDone(at=BEGIN, wave="canary", held_up=(waits,))
    stored = begun(tmp_path, targets, run_started(3), [*upgraded(done), over])
    whole = recover(stored).run
    waves = {key: state.wave for key, state in whole.states.items()}
    assert waves == {done: "rest", waits: "canary"}
    for key in (done, waits, undrawn):
        assert glimpse(stored, key).run.states.get(key) == whole.states.get(key)


def test_what_is_known_by_its_version_alone_is_not_said_to_have_been_accepted(tmp_path: Path) -> None:
    """Nobody saw a job: after the doubt period a stranger may have upgraded it as well."""
    targets = make_targets(2)
    doubtful, plain = (target.proxy_id for target in targets)
    sent, _answer, _job, settled = upgraded(doubtful)
    lost = r.AnswerSeen(at=BEGIN, target=doubtful, attempt=1, verdict="in_doubt", reason="no answer")
    found = r.VersionAdopted(at=BEGIN, target=doubtful, attempt=1, version=NEW, evidence="version only")
    stored = begun(tmp_path, targets, run_started(2), [sent, lost, found, settled, *upgraded(plain)])
    for key, rule in ((doubtful, "of which no workflow_id was learned"), (plain, "accepted, and completed")):
        now = next(line for line in life(glimpse(stored, key), key, BEGIN) if line.startswith("now: succeeded"))
        assert rule in now
        assert ("accepted" in now) == (key == plain)
