"""What the runs of a fleet leave behind for an audit."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from orchestrator.model.learned.history import Known
from orchestrator.model.plan.plan import Plan, Scope
from orchestrator.model.plan.target import Target
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import OutcomeKept, Record, Reverified, RunEnded, RunStarted, Settled
from orchestrator.tracker.folder.run_folder import create_run
from orchestrator.tracker.folder.state_folder import FolderFleet
from orchestrator.tracker.report.target import target_report
from orchestrator.tracker.runs.past_runs import read_history

AT = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)
OLD, NEW = "2.23.12.000", "2.24.03.000"
RUNS = ("20260301T220000000Z-aaaaaa", "20260302T220000000Z-bbbbbb", "20260303T220000000Z-cccccc")
TARGETS = [
    Target(scope="default", instance_id=f"{number:032x}in07", proxy_id=f"{number:032x}po01") for number in range(4)
]
A, B, C, D = (target.proxy_id for target in TARGETS)


def settled(proxy_id: str, outcome: Outcome, reason: str | None = None) -> Settled:
    version = NEW if outcome is Outcome.SUCCEEDED else None
    return Settled(at=AT, target=proxy_id, outcome=outcome, reason=reason, verified_version=version)


def begin(
    folder: Path,
    run_id: str,
    targets: list[Target],
    records: Sequence[Record],
    *,
    version: str = NEW,
    ended: bool = True,
) -> None:
    plan = Plan(
        name="prod", path="/plans/prod.yaml", sha256="0", target_version=version, scopes=(Scope(name="default"),)
    )
    first = RunStarted(
        at=AT,
        run_id=run_id,
        name="prod",
        target_version=version,
        plan_sha256="0",
        simulated=False,
        targets=len(targets),
        waves=tuple(wave.name for wave in plan.waves),
        orchestrator_version="1",
    )
    _, journal = create_run(folder, plan, targets, first)
    journal.append([*records, *([RunEnded(at=AT)] if ended else [])])
    journal.close()


def test_a_fleet_that_never_ran_has_no_history(tmp_path: Path) -> None:
    assert read_history(FolderFleet(tmp_path)) is None


def test_all_runs_together(tmp_path: Path) -> None:
    begin(
        tmp_path,
        RUNS[0],
        TARGETS,
        [
            settled(A, Outcome.SUCCEEDED),
            settled(B, Outcome.REJECTED),
            settled(C, Outcome.ALREADY),
            settled(D, Outcome.SUCCEEDED),
            Reverified(at=AT, target=D, healthy=False, finding="ABNORMAL"),
        ],
    )
    kept = msgspec.Raw(msgspec.json.encode(target_report(TARGETS[2], None, NEW, None)))
    again: list[Record] = [
        OutcomeKept(at=AT, target=C, outcome=Outcome.ALREADY, position=0, entry=kept),
        settled(A, Outcome.ALREADY),
        settled(B, Outcome.SKIPPED, "failed_before"),
    ]
    begin(tmp_path, RUNS[1], [TARGETS[0], TARGETS[1], TARGETS[3]], again, ended=False)
    history = read_history(FolderFleet(tmp_path))
    assert history is not None
    assert (history.run_id, history.target_version) == (RUNS[1], NEW)
    assert [target.proxy_id for target in history.targets] == [A, B, D, C]
    assert history.pending == {D: "waiting"}
    assert history.known == {
        A: Known(outcome=Outcome.ALREADY, run_id=RUNS[1], upgraded_to=NEW, upgraded_in=RUNS[0], had=NEW),
        B: Known(outcome=Outcome.REJECTED, run_id=RUNS[0]),
        C: Known(outcome=Outcome.ALREADY, run_id=RUNS[0], had=NEW),
        D: Known(outcome=Outcome.FAILED, run_id=RUNS[0], upgraded_to=NEW, upgraded_in=RUNS[0], had=NEW),
    }


def test_the_newest_version_counts_and_an_acceptance_is_no_sight_of_it(tmp_path: Path) -> None:
    begin(tmp_path, RUNS[0], TARGETS[:2], [settled(A, Outcome.SUCCEEDED), settled(B, Outcome.ACCEPTED)])
    begin(tmp_path, RUNS[1], TARGETS[:1], [settled(A, Outcome.ALREADY)], version=OLD)
    history = read_history(FolderFleet(tmp_path))
    assert history is not None
    assert history.known == {
        A: Known(outcome=Outcome.ALREADY, run_id=RUNS[1], upgraded_to=NEW, upgraded_in=RUNS[0], had=NEW),
        B: Known(outcome=Outcome.ACCEPTED, run_id=RUNS[0], upgraded_to=NEW, upgraded_in=RUNS[0]),
    }
    assert history.pending == {}


def test_a_completed_job_is_no_sight_of_the_version(tmp_path: Path) -> None:
    begin(tmp_path, RUNS[0], TARGETS[:1], [Settled(at=AT, target=A, outcome=Outcome.SUCCEEDED)])
    history = read_history(FolderFleet(tmp_path))
    assert history is not None
    assert history.known[A].had is None, "so a proxy on the old version has not gone back"
