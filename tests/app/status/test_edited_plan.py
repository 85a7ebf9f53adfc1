"""Without a process, `status` goes by the plan as the next start will read it, and says what is different by then."""

import json
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes.e2e import sim_targets
from fakes.here import DeskHere
from fakes.hours import window
from fakes.laid_down import laid_down
from fakes.recorded import NEW, OLD, run_started

from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.reply.reply import Entry
from orchestrator.planner.plan_file.load import load_plan

PROXIES = sim_targets(3)
FIRST, SECOND, THIRD = (target.proxy_id for target in PROXIES)
BEGAN = datetime.now(UTC) - timedelta(minutes=1)
AS_IT_WAS: dict[str, Any] = {
    "waves": [{"name": "all"}],
    "limits": {"rate": "5/s", "in_flight": 1, "ramp": "false"},
    "failures": {"max": "100%", "max_rejected": "100%", "mode": "soft"},
}
LOOSER = {"limits": {**AS_IT_WAS["limits"], "in_flight": 2}}
TIGHTER = {"failures": {"max": 0, "mode": "soft"}}
LATER = {"windows": [window(opens_in_h=5.0)]}
OTHER = {"waves": [{"name": "all", "soak": "1h"}]}


class Fleet:
    """Of its three proxies one has failed and one is being upgraded, as `in_flight: 1` allows."""

    def __init__(self, folder: Path) -> None:
        self.desk = DeskHere(folder, targets=PROXIES)
        self.desk.write(**AS_IT_WAS)
        plan = load_plan(self.desk.plan)
        self.kept = laid_down(self.desk, plan, (run_started(3, waves=("all",)), *_records()))

    def edit(self, keys: dict[str, Any]) -> None:
        self.desk.write(**{**AS_IT_WAS, **keys})

    def says(self, *, working: bool = False) -> str:
        with self.kept.lock(datetime.now(UTC)) if working else nullcontext():
            ended = self.desk.cli("status", "PLAN")
        assert ended.code == 0, ended
        return ended.stdout


def _records() -> list[r.Record]:
    begun: list[r.Record] = [
        r.SessionStarted(at=BEGAN, number=1, pid=1, host="h", orchestrator_version="1", set={"limits.rate": "-"}),
        r.ScopeOpened(at=BEGAN, scope="default"),
        r.WaveOpened(at=BEGAN, wave="all"),
    ]
    failed = r.Settled(at=BEGAN, target=FIRST, attempt=1, outcome=Outcome.FAILED, wave="all", reason="no room")
    return [*begun, *_sent(FIRST), failed, *_sent(SECOND)]


def _sent(key: str) -> list[r.Record]:
    entry = Entry(workflow_id=f"w-{key}", state="ACCEPT")
    intent = r.Intent(at=BEGAN, target=key, attempt=1, wave="all", token="t", source_version=OLD, target_version=NEW)
    return [intent, r.AnswerSeen(at=BEGAN, target=key, attempt=1, verdict="accepted", update_result=(entry,))]


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path)


def test_a_plan_that_was_not_edited_brings_no_change(fleet: Fleet) -> None:
    assert "waits for: a free slot: in_flight 1 is full" in fleet.says()
    assert "changed since" not in fleet.says()


@pytest.mark.parametrize(
    ("edit", "waits", "changed"),
    [
        (LOOSER, "the next start; nothing stands in its way; 1 target waits", "limits.in_flight: 1 -> 2"),
        (LATER, "window opens ", "windows: [] -> "),
        (TIGHTER, "a person, to release the fleet: 1 failure, 0 allowed for the fleet", "failures.max: 100% -> 0"),
    ],
    ids=["a limit", "a window", "a budget"],
)
def test_the_next_start_goes_by_the_file_and_a_process_at_work_by_what_it_read(
    fleet: Fleet, edit: dict[str, Any], waits: str, changed: str
) -> None:
    before = fleet.says(working=True).splitlines()[-1]
    fleet.edit(edit)
    living = fleet.says(working=True)
    assert (living.splitlines()[-1], "changed since" in living) == (before, False)
    dead = fleet.says()
    assert f"waits for: {waits}" in dead
    assert f"changed since the last session: {changed}" in dead
    told = json.loads(fleet.desk.cli("status", "PLAN", "--format", "json").stdout)
    key, how = changed.split(": ", 1)
    assert told["changed"][key].startswith(how)
    one = fleet.desk.cli("status", "PLAN", THIRD).stdout.splitlines()[-1]
    assert f"waits for: {waits.partition(';')[0]}" in one


def test_all_fleets_are_told_by_the_files_of_their_next_starts(fleet: Fleet) -> None:
    fleet.edit(LATER)
    assert "window opens" in fleet.desk.cli("status", "--state", fleet.desk.state).stdout


def test_what_the_last_session_had_from_its_command_line_is_said_to_be_so(fleet: Fleet) -> None:
    fleet.edit({"limits": {**AS_IT_WAS["limits"], "rate": "4/s"}})
    assert "limits.rate: 5.0 -> 4.0 (the first by --set); the next start goes by that" in fleet.says()


def test_a_file_that_cannot_be_used_leaves_what_the_last_session_had(fleet: Fleet) -> None:
    fleet.desk.plan.write_text("name: [", encoding="utf-8")
    told = fleet.desk.cli("status", "PLAN")
    assert ("in_flight 1 is full" in told.stdout, "it cannot be used" in told.stderr) == (True, True)
    assert "changed since" not in told.stdout
    assert "in_flight 1 is full" in fleet.desk.cli("status", "--state", fleet.desk.state).stdout


def test_a_change_that_needs_a_new_run_leaves_the_old_plan_in_force(fleet: Fleet) -> None:
    fleet.edit({**OTHER, **LOOSER})
    assert "waits for: a person: the plan was changed, which needs --new: waves: changed: all" in fleet.says()
    assert "changed since" not in fleet.says()
