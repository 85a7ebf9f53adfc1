"""The last line of `status`, beside a living process and after its death, in every state that a fleet can be in."""

import json
import re
import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fakes.e2e import Desk, NewCloud, sim_targets
from fakes.held_jobs import held
from fakes.hours import freeze, window

from orchestrator.simulator.profile import Kind, ScriptedFault, Timing

ALL: dict[str, Any] = {"waves": [{"name": "all"}]}
NOTE = ("--note", "incident 4711")


def last_line(desk: Desk) -> str:
    ended = desk.cli("status", "PLAN")
    assert ended.code == 0, ended.stderr
    return ended.stdout.splitlines()[-1]


def _window(new_cloud: NewCloud) -> Desk:
    desk = new_cloud(2)
    desk.write(windows=[window(opens_in_h=5.0)])
    return desk


def _freeze(new_cloud: NewCloud) -> Desk:
    desk = new_cloud(2)
    desk.write(freezes=[freeze()])
    return desk


def _soak(new_cloud: NewCloud) -> Desk:
    desk = new_cloud(2)
    desk.write(waves=[{"name": "canary", "size": 1, "soak": "3h"}, {"name": "rest"}])
    return desk


def _rate(new_cloud: NewCloud) -> Desk:
    desk = new_cloud(2)
    desk.write(**ALL, limits={"rate": "2/h"})
    return desk


def _throttling(new_cloud: NewCloud) -> Desk:
    desk = new_cloud(2, faults=(THROTTLE,), timing=Timing(retry_after_s=(1.8e6, 1.8e6)))
    desk.write(**ALL)
    return desk


def _pause(new_cloud: NewCloud) -> Desk:
    """Nothing that can be read comes any more, once the scope has been reached."""
    broken = (ScriptedFault(call=call, fault="error_before", nth=nth, times=10**9) for call, nth in UNREAD)
    desk = new_cloud(2, faults=tuple(broken))
    desk.write(**ALL)
    return desk


def _busy(new_cloud: NewCloud) -> Desk:
    desk = new_cloud(1, faults=(ScriptedFault(call="upgrade", fault="busy", times=10**9),))
    desk.write(**ALL, retry={"busy": "1h", "busy_for": "10h"})
    return desk


def _held_jobs(per_instance: int = 1, **keys: Any) -> Callable[[NewCloud], Desk]:
    def make(new_cloud: NewCloud) -> Desk:
        desk = new_cloud(3, per_instance=per_instance, fates=held())
        desk.write(**ALL, **keys)
        return desk

    return make


UNREAD: tuple[tuple[Kind, int], ...] = (("proxy_version", 1), ("immediate_jobs", 2))
SAME_LABEL = [
    {"instance_id": each.instance_id, "proxy_id": each.proxy_id, "labels": {"app": "x"}} for each in sim_targets(3)
]
THROTTLE = ScriptedFault(call="proxy_version", fault="throttle", times=50)
#: The state, how it comes about, the record by which it is there, the last line beside the process, and without it.
STATES: list[tuple[str, Callable[[NewCloud], Desk], str, str, str]] = [
    ("window", _window, "scope_opened", "window opens", "; do: nothing now; after that, orchestrator run {plan}"),
    ("freeze", _freeze, "scope_opened", "frozen; the freeze ends", "; do: nothing now; after that, orchestrator run"),
    ("soak", _soak, "wave_soaking", "the soak of wave canary, in 2 h 5", "; do: nothing now; after that, orch"),
    ("rate", _rate, "wave_opened", "its turn: scope default may make", "the next start; nothing stands in its way"),
    (
        "pause",
        _pause,
        "scope_paused",
        "scope default: paused, one probe at a time asks whether it is back: no answer that can be read: ",
        "scope default, which the last process could not use: no answer that can be read: ",
    ),
    ("busy", _busy, "postponed", "; another try at ", "; do: nothing now; after that, orchestrator run {plan}"),
    (
        "label",
        _held_jobs(limits={"per_label": {"app": 1}}, proxies=SAME_LABEL),
        "answer_seen",
        "a free slot of a label: per_label 1 of app=x (held by ",
        "a free slot of a label: per_label 1 of app=x (held by ",
    ),
    (
        "instance",
        _held_jobs(per_instance=3),
        "answer_seen",
        "a free slot: per_instance 1 of instance 0",
        "a free slot: per_instance 1 of instance 0",
    ),
    ("throttling", _throttling, "scope_throttled", "scope default: throttled by the cloud", "do: "),
    (
        "limit",
        _held_jobs(limits={"in_flight": 1}),
        "answer_seen",
        "a free slot: in_flight 1 is full; 2 targets wait; 1 upgrade under way, followed to the end; do: nothing",
        "under way, followed by the next start; do: orchestrator run {plan}",
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "record", "living", "dead"), [state[1:] for state in STATES], ids=[state[0] for state in STATES]
)
def test_the_living_and_the_dead_process_are_told_apart(
    new_cloud: NewCloud, make: Callable[[NewCloud], Desk], record: str, living: str, dead: str
) -> None:
    desk = make(new_cloud)
    running = desk.start("run", "PLAN", "--wait", "100h")
    desk.until_recorded(record)
    desk.until(lambda: living in last_line(desk))
    running.signal(signal.SIGKILL)
    running.end()
    line = last_line(desk)
    assert line.startswith("waits for: ")
    assert dead.format(plan=desk.named) in line


@pytest.mark.slow
def test_a_pause_that_another_process_met_is_named_with_its_end(new_cloud: NewCloud) -> None:
    desk = _throttling(new_cloud)
    fleets = [replace(desk, name=name, targets=desk.targets[number : number + 1]) for number, name in enumerate("ab")]
    for fleet in fleets:
        fleet.write(**ALL)
    told, hears = fleets
    first = told.start("run", "PLAN")
    told.until_recorded("scope_throttled")
    second = hears.start("run", "PLAN")
    hears.until_recorded("scope_throttled")
    pause = (
        r"scope default: throttled by the cloud: another process, which shares its rate, was told so; until [-\d: ]+"
    )
    waits = f"waits for: {pause} UTC, in \\d+ min; 1 target waits; do: nothing"
    assert re.fullmatch(waits, last_line(hears))
    second.signal()
    assert second.end().code == 5
    assert re.fullmatch(f"{waits} now; after that, orchestrator run {re.escape(hears.named)}", last_line(hears))
    preview = hears.start("plan", "PLAN")
    assert preview.process.stderr is not None
    line = preview.process.stderr.readline()
    preview.signal(signal.SIGKILL)
    preview.end()
    first.signal(signal.SIGKILL)
    first.end()
    assert "scope default: the cloud asks for a pause, waiting " in line
    assert "another process, which shares its rate, was told so" in line


def test_a_hold_before_the_first_run_is_told(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    assert desk.cli("status", "PLAN").code == 2
    desk.cli("hold", "PLAN", *NOTE)
    ended = desk.cli("status", "PLAN")
    assert "no run has begun yet" in ended.stdout
    assert "waits for: a person, to release the fleet: incident 4711 (held by tester@" in ended.stdout
    assert desk.cli("release", "PLAN", *NOTE).code == 0
    assert "waits for: the next start: released by tester@" in last_line(desk)


def test_a_release_of_what_is_not_held_says_so_and_records_nothing(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    desk.write(**ALL)
    assert "is not held" in desk.cli("release", "PLAN", *NOTE).stdout
    desk.cli("hold", "PLAN", *NOTE)
    assert "is released" in desk.cli("release", "PLAN", *NOTE).stdout
    commands = desk.fleet / "commands.ndjson"
    before = commands.read_bytes()
    assert "is already released, by tester@" in desk.cli("release", "PLAN", *NOTE).stdout
    assert "asks for no approval" in desk.cli("release", "PLAN", "all", *NOTE).stdout
    assert commands.read_bytes() == before
    assert desk.run().code == 0
    assert "is already released, by tester@" in desk.cli("release", "PLAN", *NOTE).stdout


def test_what_another_fleet_has_open_is_named_with_it(new_cloud: NewCloud) -> None:
    desk = new_cloud(1, fates=held())
    desk.write(**ALL)
    assert desk.run("--max-duration", "1ms").code == 5
    other = Desk(desk.folder, url=desk.url, targets=desk.targets, name="other")
    other.write(**ALL, follow={"timeout": "1s", "expected": "1s"})
    assert other.run().code == 6
    line = last_line(desk)
    assert "waits for: another fleet: proxy " in line
    assert " of fleet other" in line
    assert "do: let the other fleet end what it began" in line
    settle = f"then orchestrator settle {other.named} {desk.targets[0].proxy_id} --outcome OUTCOME"
    assert settle in last_line(other)


def test_a_plan_that_was_changed_is_told_before_it_is_run(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    desk.write(**ALL)
    assert desk.run("--max-duration", "1ms").code == 5
    desk.write(**ALL, target_version="2.25.03.000")
    assert "a person: the plan was changed, which needs --new" in last_line(desk)


def test_a_scope_that_was_given_up_is_named_with_what_to_repair(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    desk.token = "wrong-token"
    assert desk.run().code == 7
    line = last_line(desk)
    assert "scope default, which the last process could not use: " in line
    assert line.endswith(f"do: repair what the reason names, then orchestrator run {desk.named}")


def test_a_fleet_that_is_done_waits_for_nothing(new_cloud: NewCloud) -> None:
    desk = new_cloud(1)
    assert desk.run().code == 0
    assert last_line(desk) == (
        "waits for: nothing: the run has ended, no target is known to run less than 2.24.03.000; do: nothing"
    )


def test_without_a_plan_all_fleets_are_listed_and_a_folder_without_any_is_a_mistake(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    nothing = desk.cli("status")
    assert nothing.code == 2
    assert "there is no trace of any fleet" in nothing.stderr
    assert desk.run().code == 0
    listed = desk.cli("status")
    assert (listed.code, listed.stderr) == (0, "")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["FLEET", "prod"]
    (document,) = json.loads(desk.cli("status", "--format", "json").stdout)
    assert document["totals"]["outcomes"] == {"succeeded": 2}


def test_watching_beside_a_run_ends_with_it_and_at_ctrl_c(new_cloud: NewCloud) -> None:
    desk = new_cloud(1, fates=held())
    desk.write(**ALL)
    run = desk.start("run", "PLAN")
    desk.until_recorded("intent")
    watching, stopped = desk.start("status", "PLAN", "--watch"), desk.start("status", "PLAN", "--watch")
    assert stopped.process.stdout is not None
    assert "at work" in stopped.process.stdout.readline()
    stopped.signal(signal.SIGINT)
    assert stopped.end().code == 0
    desk.end_jobs()
    assert run.end().code == 0
    ended = watching.end()
    assert (ended.code, ended.stderr) == (0, "")
    assert "completed: 1 succeeded; waits for: nothing" in ended.stdout.splitlines()[-1]
