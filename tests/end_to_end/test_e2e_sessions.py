"""From one session to the next: what may change, what may not, and how long a session lasts."""

import json
import re
import shlex
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fakes.e2e import Desk, NewCloud, expect_truth
from fakes.held_jobs import held

from orchestrator.simulator.profile import JobFate, ScriptedFate, ScriptedFault, Timing

FOREVER = Timing(node_s=20_000_000.0, visible_s=(0.0, 1.0))


def _interrupted(desk: Desk) -> Desk:
    """A run that was stopped with one target in flight."""
    running = desk.start("run", "PLAN")
    desk.until_recorded("answer_seen")
    running.signal()
    assert running.end().code == 5
    return desk


def _stopped(new_cloud: NewCloud, count: int, **changes: object) -> Desk:
    """A run that was stopped with one target in flight, whose job has ended since."""
    desk = new_cloud(count, fates=held())
    desk.write(**changes)
    _interrupted(desk).end_jobs()
    return desk


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"target_version": "2.24.03.001"}, "target_version"),
        ({"waves": [{"name": "canary", "size": 2}, {"name": "rest"}]}, "waves"),
        ({"source_version": "2.23.12.000"}, "source_version"),
        ({"exclude": [{"proxy_id": f"{3:032x}po01"}]}, "exclude"),
        ({"region": "cn-north-1"}, "region"),
        ({"proxies": [{"instance_id": f"{9:032x}in07", "proxy_id": f"{9:032x}po01"}]}, "proxies"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_open_is_followed_before_a_changed_plan_is_refused(
    new_cloud: NewCloud, change: dict[str, object], named: str
) -> None:
    desk = _stopped(new_cloud, 4)
    desk.write(**change)
    ended = desk.run()
    assert ended.code == 2
    assert named in ended.messages[-2]
    assert "--new" in ended.messages[-1]
    report = expect_truth(desk)
    assert report["totals"]["outcomes"] == {"succeeded": 1, "waiting": 3}
    assert desk.books()["calls"]["upgrade"] == 1


def test_after_a_change_a_new_run_supersedes_the_old_one(new_cloud: NewCloud) -> None:
    desk = _stopped(new_cloud, 3)
    first = desk.report["run"]["run_id"]
    desk.write(waves=[{"name": "all"}])
    assert desk.run().code == 2
    assert "ended with 2: the plan was changed" in desk.cli("status", "PLAN").stdout
    assert json.loads(desk.cli("report", "PLAN").stdout)["run"]["exit_code"] == 2
    assert desk.run("--new").code == 0
    expect_truth(desk)
    assert desk.report["totals"]["outcomes"] == {"already": 1, "succeeded": 2}
    old = json.loads(desk.cli("report", "PLAN", "--run", first).stdout)
    assert old["totals"]["outcomes"] == {"succeeded": 1, "not_started": 2}
    assert {each["reason"] for each in old["targets"] if each["outcome"] == "not_started"} == {"superseded"}
    assert old["run"]["state"] == "completed"


def test_a_new_run_is_refused_while_something_is_open(new_cloud: NewCloud) -> None:
    desk = _interrupted(new_cloud(3, timing=FOREVER))
    ended = desk.run("--new")
    assert ended.code == 2
    assert "still open" in ended.stderr
    assert "settle" in ended.stderr
    assert desk.report["totals"]["outcomes"] == {"in_flight": 1, "waiting": 2}


def test_a_plan_that_only_looks_different_goes_on(new_cloud: NewCloud) -> None:
    desk = _stopped(new_cloud, 3)
    content = json.loads(desk.plan.read_text())
    desk.plan.write_text("# the same in other words\n" + json.dumps(dict(reversed(content.items())), indent=4))
    assert desk.run().code == 0


def test_limits_may_change_and_the_change_is_recorded(new_cloud: NewCloud) -> None:
    desk = _stopped(new_cloud, 3)
    desk.write(limits={"rate": "150/s"}, retry={"attempts": 3})
    assert desk.run("--set", "limits.in_flight=7").code == 0
    changed = [record["changed"] for record in desk.records() if record["record"] == "session_started"][-1]
    text = json.dumps(changed)
    for words in ("limits.rate", "150", "retry.attempts", "limits.in_flight", "7"):
        assert words in text
    assert desk.report["scopes"][0]["rate_limit"] == 150.0


def test_a_setting_of_one_session_holds_for_that_session(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    assert desk.run("--set", "limits.rate=50/s", "--set", "follow.to=completed").code == 0
    assert desk.report["scopes"][0]["rate_limit"] == 50.0
    assert all(target["verified_version"] is None for target in desk.report["targets"])


def test_inventories_are_frozen_with_the_run(new_cloud: NewCloud) -> None:
    desk = new_cloud(3, fates=held())
    rows = [f"{each.instance_id},{each.proxy_id},gold" for each in desk.targets]
    inventory = desk.folder / "fleet.csv"
    inventory.write_text("\n".join(["instance_id,proxy_id,tier", *rows[:2]]) + "\n")
    desk.write(proxies=None, inventory="fleet.csv")
    _interrupted(desk).end_jobs()
    inventory.write_text("\n".join(["instance_id,proxy_id,tier", *rows]) + "\n")
    assert desk.run().code == 0
    assert desk.report["totals"]["targets"] == 2
    assert desk.report["targets"][0]["labels"] == {"tier": "gold"}
    assert desk.run().code == 0
    assert desk.report["totals"]["outcomes"] == {"already": 2, "succeeded": 1}


# --- how long ---------------------------------------------------------------------------------------------------------


def test_after_the_bound_nothing_starts(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    ended = desk.run("--max-duration", "1ms")
    assert ended.code == 5
    assert "time for starts" in ended.stdout
    assert "upgrade" not in desk.books()["calls"]
    assert desk.run("--quiet", "--max-duration", "1ms").stdout == ""
    assert desk.run("--until", f"{datetime.now(UTC) + timedelta(hours=1):%H:%M}").code == 0


def test_what_is_open_at_the_bound_is_followed(new_cloud: NewCloud) -> None:
    desk = new_cloud(3)
    desk.write(waves=[{"name": "all"}], limits={"in_flight": 1})
    ended = desk.run("--max-duration", "150ms")
    report = expect_truth(desk)
    assert ended.code == 5
    assert set(report["totals"]["outcomes"]) <= {"succeeded", "waiting"}
    assert report["totals"]["outcomes"]["waiting"] >= 1


def test_a_soak_that_is_too_long_for_the_session_is_named(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    desk.write(waves=[{"name": "canary", "size": 1, "soak": "2h"}, {"name": "rest"}])
    ended = desk.run()
    assert ended.code == 5
    until = next(record["until"] for record in desk.records() if record["record"] == "wave_soaking")
    named = re.search(r"wave canary soaks: next possible start (\S+ \S+) UTC", ended.stdout)
    assert named
    # What is read is the second nearest to the instant.
    told = datetime.fromisoformat(named[1]).replace(tzinfo=UTC)
    assert abs(told - datetime.fromisoformat(until)) < timedelta(seconds=1)
    assert "soak" in desk.cli("status", "PLAN").stdout
    assert desk.run("--quiet").stdout == ""
    assert desk.report["totals"]["outcomes"] == {"succeeded": 1, "waiting": 1}


def test_a_short_soak_is_waited_for(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    desk.write(waves=[{"name": "canary", "size": 1, "soak": "300ms"}, {"name": "rest"}])
    assert desk.run().code == 0
    first, second = desk.report["waves"]
    ended, began = (datetime.fromisoformat(instant) for instant in (first["ended_at"], second["started_at"]))
    assert began >= ended
    times = {record["record"]: record for record in desk.records() if record.get("wave") == "canary"}
    assert ended - datetime.fromisoformat(times["wave_soaking"]["at"]) >= timedelta(seconds=0.3)


def test_with_a_wait_of_nothing_a_soak_ends_the_session(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    desk.write(waves=[{"name": "canary", "size": 1, "soak": "8s"}, {"name": "rest"}])
    assert desk.run("--wait", "0s").code == 5
    assert desk.run("--wait", "10s").code == 0


# --- asked for again --------------------------------------------------------------------------------------------------


def test_what_failed_is_sent_again_only_when_it_is_asked_for(new_cloud: NewCloud) -> None:
    rejected = f"{1:032x}po01"
    desk = new_cloud(3, faults=(ScriptedFault(call="upgrade", fault="rejected", proxy_id=rejected),))
    assert desk.run().code == 1
    assert desk.outcomes()[rejected] == "rejected"
    first, upgraded = desk.report, f"{2:032x}po01"
    assert desk.run().code == 0
    assert desk.outcomes()[rejected] == "skipped"
    _expect_story_of_both_nights(desk, first, upgraded, rejected)
    assert desk.run("--only-outcome", "rejected,failed").code == 0
    assert desk.outcomes()[rejected] == "succeeded"
    expect_truth(desk)


def test_a_plan_that_moved_takes_the_memory_of_its_fleet_along(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    assert desk.run().code == 0
    moved = desk.folder / "moved.yaml"
    moved.write_text(json.dumps({**desk.content(), "name": "prod"}), encoding="utf-8")
    refused = desk.cli("run", moved)
    assert refused.code == 2
    (pasted,) = re.findall(r"orchestrator (claim .*?); a plan of other", refused.stderr)
    assert desk.cli(*shlex.split(pasted)).code == 0
    assert desk.cli("run", moved).code == 0
    assert desk.books()["calls"]["upgrade"] == 2
    assert desk.cli("status", "PLAN").code == 2


def test_what_fails_once_more_in_the_same_way_counts_in_no_budget(new_cloud: NewCloud) -> None:
    keys = [f"{number:032x}po01" for number in (1, 2)]
    end = JobFate(end="failed", fail_reason="no room")
    desk = new_cloud(3, fates=tuple(ScriptedFate(fate=end, proxy_id=key, nth=nth) for key in keys for nth in (1, 2)))
    desk.write(waves=[{"name": "all"}])
    assert desk.run().code == 1
    desk.write(failures={"max": 0, "mode": "strict"})
    redone = desk.run("--only-outcome", "failed")
    assert (redone.code, desk.report["run"]["hold"]) == (0, None)
    assert [desk.outcomes()[key] for key in keys] == ["failed", "failed"]
    assert all(desk.effective_starts()[key] == 2 for key in keys)


def _expect_story_of_both_nights(desk: Desk, first: dict[str, Any], *proxies: str) -> None:
    """The second night did nothing for them: their story tells what the first did, when, and by whom."""
    run_id = first["run"]["run_id"]
    for target in (each for each in first["targets"] if each["proxy_id"] in proxies):
        story = desk.cli("status", "PLAN", target["proxy_id"]).stdout
        assert f"run {run_id}, by tester@" in story
        assert story.index(" is sent: ") < story.index(f"run {desk.report['run']['run_id']}, by tester")
        before = next(line for line in story.splitlines() if line.startswith("before: "))
        last = story.splitlines()[-1]
        assert before.startswith(f"before: {target['outcome']}")
        assert last.startswith("waits for: nothing: it has its outcome; do: ")
        assert all(words in before for words in (run_id, *target["workflow_ids"], target["reason"] or ""))


def test_the_others_keep_the_outcome_of_the_run_that_saw_it(new_cloud: NewCloud) -> None:
    """Also when a run in between only left them out."""
    rejected, failed = f"{1:032x}po01", f"{2:032x}po01"
    desk = new_cloud(
        3,
        faults=(ScriptedFault(call="upgrade", fault="rejected", proxy_id=rejected),),
        fates=(ScriptedFate(fate=JobFate(end="failed", fail_reason="no room"), proxy_id=failed),),
    )
    desk.write(waves=[{"name": "all"}])
    assert [desk.run().code, desk.run().code, desk.run("--only-outcome", "rejected").code] == [1, 0, 0]
    assert desk.report["totals"]["outcomes"] == Counter(desk.outcomes().values())
    assert desk.outcomes()[failed] == "failed"
    assert "Failed: no room" in desk.cli("status", "PLAN", failed).stdout
    assert "no room" in next(each["reason"] for each in desk.report["targets"] if each["proxy_id"] == failed)


def test_timed_out_upgrades_take_their_end_when_it_is_seen(new_cloud: NewCloud) -> None:
    desk = new_cloud(1, fates=held())
    desk.write(waves=[{"name": "all"}], follow={"timeout": "1s", "expected": "1s"})
    assert desk.run().code == 6
    assert desk.report["totals"]["outcomes"] == {"timed_out": 1}
    desk.end_jobs()
    desk.write(waves=[{"name": "all"}], follow={"timeout": "10m"})
    assert desk.run().code == 0
    expect_truth(desk)


def test_a_proxy_that_is_open_in_another_fleet_is_refused(new_cloud: NewCloud) -> None:
    desk = _interrupted(new_cloud(2, timing=FOREVER, fates=(ScriptedFate(fate=JobFate(end="hangs")),)))
    other = Desk(desk.folder, url=desk.url, targets=desk.targets, name="other")
    other.write()
    ended = other.run()
    assert ended.code == 2
    assert "is open in run" in ended.stderr
    assert "fleet prod" in ended.stderr
    assert not (other.fleet / "runs").exists()


def test_what_another_fleet_has_taken_up_since_is_not_started_beside_it(new_cloud: NewCloud) -> None:
    desk = new_cloud(1, timing=FOREVER, fates=(ScriptedFate(fate=JobFate(end="hangs")),))
    desk.write()
    assert desk.run("--max-duration", "1ms").code == 5
    other = Desk(desk.folder, url=desk.url, targets=desk.targets, name="other")
    other.write(waves=[{"name": "all"}], follow={"timeout": "1s", "expected": "1s"})
    assert other.run().code == 6

    barred = desk.run()
    assert barred.code == 2
    assert "of fleet other" in barred.stderr
    assert "--new" not in barred.stderr
    assert desk.books()["calls"]["upgrade"] == 1

    proxy_id = desk.targets[0].proxy_id
    other.cli("settle", "PLAN", proxy_id, "--outcome", "failed", "--note", "seen in the console")
    assert desk.run("--max-duration", "1ms").code == 5
