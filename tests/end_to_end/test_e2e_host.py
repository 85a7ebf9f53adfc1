"""Bytes, pipes and paths from the host, as real processes meet them."""

import os
import resource
from pathlib import Path

import pytest
from fakes.e2e import Desk, NewCloud
from fakes.processes import Ended

LATIN_1 = b"incident caf\xe9"


def test_a_note_and_a_user_in_latin_1_hold_the_fleet(desk: Desk) -> None:
    desk.write()
    ended = desk.cli("hold", "PLAN", "--note", os.fsdecode(LATIN_1), environ={"LOGNAME": os.fsdecode(b"jos\xe9")})
    assert ended.code == 0, ended
    commands = (desk.fleet / "commands.ndjson").read_text(encoding="utf-8")
    assert r'"user":"jos\\xe9","note":"incident caf\\xe9"' in commands


def test_a_plan_in_a_folder_whose_name_is_not_utf_8_works(new_cloud: NewCloud, tmp_path: Path) -> None:
    """Its token file stands beside it, and is found again by a session that goes on with the frozen plan."""
    there = new_cloud(2)
    folder = tmp_path / os.fsdecode(b"fl\xf6tte")
    folder.mkdir()
    desk = Desk(folder, url=there.url, targets=there.targets)
    (folder / "token").write_text(there.token, encoding="utf-8")
    (folder / "fleet.csv").write_text(
        "instance_id,proxy_id\n" + "".join(f"{each.instance_id},{each.proxy_id}\n" for each in there.targets),
        encoding="utf-8",
    )
    changes = {"proxies": None, "inventory": "fleet.csv", "auth": {"token_file": "token"}}
    waves = [{"name": "canary", "size": 1}, {"name": "rest", "approve": "true"}]
    desk.write(**changes, waves=waves)
    assert desk.run().code == 3
    assert desk.cli("release", "PLAN", "rest", "--note", "n").code == 0
    desk.write(**changes, waves=waves, target_version="2.24.04.000")
    assert desk.run().code == 2, "the plan was changed; the frozen one is read back"
    desk.write(**changes, waves=waves)
    ended = desk.run()
    assert ended.code == 0, ended
    assert r"fl\xf6tte" in ended.stdout
    assert desk.cli("status", "PLAN").code == 0


def test_a_plan_from_a_pipe_needs_a_name_and_a_state_folder(desk: Desk) -> None:
    def status(**environ: str) -> Ended:
        with desk.plan.open(encoding="utf-8") as plan:
            return desk.cli("status", "/dev/stdin", stdin=plan, environ=environ)

    unnamed = status()
    assert unnamed.code == 2
    assert "/dev/stdin:1:1: name: a plan that is read from a pipe needs one" in unnamed.stderr
    desk.write(name="prod")
    homeless = status(ORCHESTRATOR_STATE="")
    assert homeless.code == 2
    assert "--state" in homeless.stderr
    assert "there is no trace of any run of fleet prod" in status().stderr


def test_a_plan_from_a_pipe_does_not_take_the_name_of_a_file(desk: Desk) -> None:
    desk.write(name="prod")
    with desk.plan.open(encoding="utf-8") as plan:
        assert desk.cli("hold", "/dev/stdin", "--note", "n", stdin=plan).code == 0
    assert desk.cli("hold", "PLAN", "--note", "n").code == 0, "no pipe owns the name"
    (desk.folder / "rendered").write_bytes(desk.plan.read_bytes())
    with (desk.folder / "rendered").open(encoding="utf-8") as plan:
        refused = desk.cli("hold", "/dev/stdin", "--note", "n", stdin=plan)
    assert refused.code == 2, "the file does"
    assert "belongs to" in refused.stderr


@pytest.mark.parametrize("hard", [None, 100], ids=["the hard limit is far higher", "the hard limit is low too"])
def test_few_open_files_end_no_run(new_cloud: NewCloud, hard: int | None) -> None:
    """As `ulimit -Sn 48` or `ulimit -n 100` before it, with a plan that asks for 200 calls at once."""
    desk = new_cloud(40)
    desk.write(limits={"concurrency": 200, "in_flight": 40, "rate": "2000/s"}, waves=[{"name": "all"}])

    def limit() -> None:
        there = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (48 if hard is None else hard, hard or there))

    ended = desk.run(preexec_fn=limit)
    assert ended.code == 0, ended
    assert desk.report["totals"]["outcomes"] == {"succeeded": 40}
    warned = [line["why"] for line in ended.logs if line["event"] == "open_files.few"]
    assert bool(warned) == (hard is not None)


def test_a_working_folder_that_was_removed_is_named(desk: Desk) -> None:
    desk.write()
    ended = desk.cli("hold", "PLAN", "--note", "n", "--state", "state", preexec_fn=_in_a_folder_that_is_gone)
    assert ended.code == 8
    assert "the working folder of this process is gone" in ended.stderr
    assert "bug" not in ended.stderr


def _in_a_folder_that_is_gone() -> None:
    Path("gone").mkdir()
    os.chdir("gone")
    Path("../gone").rmdir()


def test_a_file_for_the_keys_of_connections_is_neither_waited_for_nor_written(new_cloud: NewCloud) -> None:
    desk = new_cloud(1)
    desk.write()
    os.mkfifo(desk.folder / "keys")
    ended = desk.cli("plan", "PLAN", environ={"SSLKEYLOGFILE": str(desk.folder / "keys")})
    assert ended.code == 0, ended


@pytest.mark.parametrize(
    ("which", "value", "code", "says"),
    [(resource.RLIMIT_AS, 100 << 20, 8, "memory"), (resource.RLIMIT_NOFILE, 6, 2, "open files")],
)
def test_too_little_memory_or_too_few_files_end_no_process_without_a_word(
    which: int, value: int, code: int, says: str, desk: Desk
) -> None:
    desk.write()
    ended = desk.cli("plan", "PLAN", preexec_fn=lambda: resource.setrlimit(which, (value, value)))
    assert ended.code == code, ended
    assert says in ended.stderr
