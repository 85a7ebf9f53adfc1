"""State folders that cannot be used: exit 8, a place and a reason, nothing sent without its intent on disk."""

import errno
import json
import os
import resource
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from fakes.e2e import IMPATIENT, Desk, NewCloud, expect_truth
from fakes.held_jobs import held
from fakes.processes import Ended

not_root = pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")


def _expect_unusable(ended: Ended, *words: str) -> None:
    assert ended.code == 8, ended
    assert ended.messages[-1].startswith("hint: ")
    for word in words:
        assert word in "\n".join(ended.messages)


def _interrupted(desk: Desk, answers: int = 2) -> Path:
    """A run that was killed with something under way; its journal."""
    ended = desk.run(environ={"ORCHESTRATOR_CRASH_AT": f"answer_written:{answers}"})
    assert ended.code == -9
    return desk.run_folder / "journal.ndjson"


def _intents_on_disk(desk: Desk) -> Counter[str]:
    return Counter(record["target"] for record in desk.records() if record["record"] == "intent")


def _sent(desk: Desk) -> Counter[str]:
    return Counter(call["proxy_id"] for call in desk.books()["upgrade_calls"])


# --- before anything is sent ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["run", "hold"])
def test_a_file_in_the_way(new_cloud: NewCloud, verb: str) -> None:
    desk = new_cloud(1)
    desk.state.write_text("not a folder")
    words = ("--note", "x") if verb == "hold" else ()
    _expect_unusable(desk.cli(verb, "PLAN", *words), str(desk.state))
    assert desk.books()["calls"] == {}


def test_a_file_in_the_way_of_the_fleet_or_its_runs(new_cloud: NewCloud) -> None:
    desk = new_cloud(1)
    for path in (desk.fleet, desk.fleet / "runs"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("not a folder")
        _expect_unusable(desk.run(), str(path))
        path.unlink()
    assert desk.run().code == 0


def test_a_missing_parent_is_made(new_cloud: NewCloud) -> None:
    desk = new_cloud(1)
    state = desk.folder / "a" / "b" / "c"
    assert desk.run("--state", state).code == 0
    assert (state / "prod" / "latest" / "report.json").exists()


@not_root
def test_a_read_only_folder(new_cloud: NewCloud) -> None:
    desk = new_cloud(1)
    desk.state.mkdir(mode=0o500)
    _expect_unusable(desk.run(), str(desk.fleet), "Permission denied")
    assert desk.books()["calls"] == {}


def test_a_read_only_disk(new_cloud: NewCloud) -> None:
    desk = new_cloud(1)
    desk.state.mkdir()
    ended = _in_own_mounts(desk, f"mount -t tmpfs -o ro,mode=0700 tmpfs {desk.state}")
    _expect_unusable(ended, str(desk.state), "Read-only file system")
    assert desk.books()["calls"] == {}


# --- damage -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["run", "status", "report"])
def test_a_flipped_byte_is_found_and_named(new_cloud: NewCloud, verb: str) -> None:
    desk = new_cloud(2)
    journal = _interrupted(desk)
    calls = desk.books()["calls"]
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b'"at":"2', b'"at":"3', 1)
    journal.write_bytes(b"".join(lines))
    _expect_unusable(desk.cli(verb, "PLAN"), f"{journal}:3")
    assert desk.books()["calls"] == calls


@pytest.mark.parametrize("name", ["plan.json", "targets.ndjson", "settings.json"])
def test_damage_in_the_files_beside_the_journal(new_cloud: NewCloud, name: str) -> None:
    desk = new_cloud(2)
    path = _interrupted(desk).parent / name
    content = path.read_bytes()
    for damage in (content.replace(b"00", b"01", 1), b"", None):
        if damage is None:
            path.unlink()
        else:
            path.write_bytes(damage)
        _expect_unusable(desk.cli("status", "PLAN"), str(path))
    _expect_unusable(desk.run(), str(path))
    path.write_bytes(content)
    assert desk.run().code == 0


def test_lines_that_are_missing_or_there_twice(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    journal = _interrupted(desk)
    lines = journal.read_bytes().splitlines(keepends=True)
    for damage, place in (([*lines[:2], *lines[3:]], 3), ([*lines[:3], *lines[2:]], 4), (lines[1:], 1)):
        journal.write_bytes(b"".join(damage))
        _expect_unusable(desk.cli("status", "PLAN"), f"{journal}:{place}")


def test_a_torn_last_line_is_dropped(new_cloud: NewCloud) -> None:
    desk = new_cloud(3)
    desk.write(**IMPATIENT)  # what was cut off between intent and send is in doubt
    journal = _interrupted(desk)
    with journal.open("ab") as file:
        file.write(b'{"seq":99,"record":"settled","target":"')
    assert desk.run().code == 0
    expect_truth(desk)
    assert set(desk.effective_starts().values()) == {1}


@pytest.mark.parametrize("kept", [0, 1, 40, -1], ids=["nothing", "a byte", "a part", "all but its end"])
def test_a_lost_answer_in_the_journal_is_looked_for(new_cloud: NewCloud, kept: int) -> None:
    """The disk lost the last line, which was an answer: the attempt is in doubt, and nothing is sent again."""
    desk = new_cloud(1)  # a second target may write its intent in the same group, after the answer
    desk.write(**IMPATIENT)
    journal = _interrupted(desk, answers=1)
    lines = journal.read_bytes().splitlines(keepends=True)
    assert json.loads(lines[-1])["record"] == "answer_seen"
    journal.write_bytes(b"".join(lines[:-1]) + lines[-1][:kept])
    assert desk.run().code == 0
    expect_truth(desk)
    assert set(desk.effective_starts().values()) == {1}


def test_a_journal_of_a_newer_version(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    journal = _interrupted(desk)
    _rewrite_first_line(journal, {"journal": 99, "invented_later": True})
    for verb in ("run", "status"):
        ended = desk.cli(verb, "PLAN")
        _expect_unusable(ended, str(journal), "newer version")


def _rewrite_first_line(journal: Path, changes: dict[str, object]) -> None:
    from zlib import crc32  # noqa: PLC0415  # only here

    lines = journal.read_bytes().splitlines(keepends=True)
    first = json.loads(lines[0])
    del first["crc"]
    head = json.dumps({**first, **changes}, separators=(",", ":"))[:-1].encode()
    journal.write_bytes(b'%b,"crc":"%08x"}\n' % (head, crc32(head)) + b"".join(lines[1:]))


def test_a_run_that_was_never_completely_made_is_forgotten(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    assert desk.run().code == 0
    left = desk.fleet / "runs" / ".new-20990101T000000000Z-abcdef"
    shutil.copytree(desk.run_folder, left)
    (left / "journal.ndjson").unlink()
    assert desk.run().code == 0
    assert not left.exists()


# --- while it runs ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("size", [3500, 4000, 5000, 6500])
def test_a_file_that_may_not_grow(new_cloud: NewCloud, size: int) -> None:
    """As a full disk, by the size of the largest file, at different places of the journal."""
    desk = _busy_desk(new_cloud)

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    no_cut_modules = {"PYTHONDONTWRITEBYTECODE": "1"}  # the limit would cut what the interpreter keeps of them, too
    ended = desk.run("--log-level", "error", environ=no_cut_modules, preexec_fn=limited)
    _expect_unusable(ended, "File too large")
    _expect_recovery(desk)


@pytest.mark.slow
def test_a_full_disk(new_cloud: NewCloud) -> None:
    desk = _busy_desk(new_cloud)
    desk.state.mkdir()
    kept = desk.folder / "kept"
    prepare = f"mount -t tmpfs -o size=32k,mode=0700 tmpfs {desk.state}"
    ended = _in_own_mounts(desk, prepare, after=f"cp -a {desk.state} {kept}")
    _expect_unusable(ended, "No space left on device", "free some space")
    shutil.copytree(kept, desk.state, dirs_exist_ok=True, symlinks=True)
    _expect_recovery(desk)


#: Loaded by the interpreter before the program: the n-th call of a kind on a journal fails, and every one after it.
_FAILING_DISK = """
import os
kind, left, number = "{kind}", {left}, {number}
call = getattr(os, kind)

def failing(handle, *rest):
    global left
    if os.readlink(f"/proc/self/fd/{{handle}}").endswith("journal.ndjson"):
        left -= 1
        if left <= 0:
            raise OSError(number, os.strerror(number))
    return call(handle, *rest)

setattr(os, kind, failing)
"""


@pytest.mark.slow
@pytest.mark.parametrize("left", [5, 9])
@pytest.mark.parametrize(
    ("kind", "number", "words"),
    [
        ("fsync", errno.EIO, ("Input/output error", "the disk fails")),
        ("write", errno.EROFS, ("Read-only file system", "mount it read-write")),
    ],
)
def test_a_disk_that_fails_in_mid_run(
    new_cloud: NewCloud, kind: str, number: int, words: tuple[str, ...], left: int
) -> None:
    """An fsync that fails, and a disk that the kernel has made read-only."""
    desk = _busy_desk(new_cloud)
    (desk.folder / "sitecustomize.py").write_text(_FAILING_DISK.format(kind=kind, left=left, number=number))
    path = f"{desk.folder}:{desk.base_environ()['PYTHONPATH']}"
    ended = desk.run("--log-level", "error", environ={"PYTHONPATH": path})
    _expect_unusable(ended, "journal.ndjson: cannot write to the journal", *words)
    assert desk.report["run"]["exit_code"] == 8
    _expect_recovery(desk)


@pytest.mark.slow
def test_a_folder_that_is_deleted_under_a_running_process(new_cloud: NewCloud) -> None:
    desk = new_cloud(6, fates=held())
    desk.write(waves=[{"name": "all"}], limits={"in_flight": 1})
    running = desk.start("run", "PLAN")
    desk.until_recorded("answer_seen")
    moved = desk.folder / "moved"
    desk.fleet.rename(moved)
    desk.end_jobs()
    ended = running.end()
    assert "Traceback" not in ended.stderr
    _expect_unusable(ended)
    moved.rename(desk.fleet)
    assert _sent(desk) <= _intents_on_disk(desk)


def _busy_desk(new_cloud: NewCloud) -> Desk:
    """Six proxies at once, whose doubts end soon."""
    desk = new_cloud(6)
    desk.write(waves=[{"name": "all"}], **IMPATIENT)
    return desk


def _expect_recovery(desk: Desk) -> None:
    """Nothing was sent without its intent on disk, and the next start carries the run to its end."""
    assert _sent(desk) <= _intents_on_disk(desk), "something was sent without its intent on disk"
    assert _run_on(desk) == 0
    expect_truth(desk)
    assert set(desk.effective_starts().values()) == {1}


def _run_on(desk: Desk) -> int:
    """The code of the last of a few starts; a person settles what stays in doubt by looking at the cloud."""
    code = desk.run().code
    for proxy_id, outcome in desk.outcomes().items():
        if outcome == "in_doubt":
            decision = "succeeded" if desk.effective_starts()[proxy_id] else "not_sent"
            desk.cli("settle", "PLAN", proxy_id, "--outcome", decision, "--note", "seen in the console")
    return desk.run().code if code == 6 else code


def _in_own_mounts(desk: Desk, prepare: str, *, after: str = "true") -> Ended:
    """A run in a mount namespace of its own, after preparations that only root may make."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode:  # noqa: S607
        pytest.skip("only root may mount")
    script = f'{prepare} || exit 99; "$@"; code=$?; {after}; exit $code'
    ended = desk.run(wrapper=("unshare", "-m", "sh", "-c", script, "sh"))
    if ended.code == 99:
        pytest.skip("mounting is not allowed here")
    return ended


VERBS: list[tuple[str, ...]] = [
    ("run", "PLAN"),
    ("plan", "PLAN"),
    ("status", "PLAN"),
    ("report", "PLAN"),
    ("hold", "PLAN", "--note", "n"),
    ("release", "PLAN", "--note", "n"),
    ("settle", "PLAN", "x", "--outcome", "failed", "--note", "n"),
]


def test_no_verb_uses_a_folder_that_others_may_write(new_cloud: NewCloud) -> None:
    desk = new_cloud(1)
    assert desk.run().code == 0
    desk.state.chmod(0o777)
    for verb in VERBS:
        ended = desk.cli(*verb)
        assert ended.code == 8, (verb, ended)
        assert f"hint: see that nobody has, then: chmod go-w {desk.state}" in ended.messages


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_a_folder_of_another_user_is_not_written_into(new_cloud: NewCloud) -> None:
    """As one trial as root in the folder of the service user: what root makes there, that user cannot go on with."""
    desk = new_cloud(1)
    assert desk.run().code == 0
    assert desk.cli("hold", "PLAN", "--note", "n").code == 0  # so that there is something to release
    os.chown(desk.state, 12345, 12345)
    for verb in VERBS:
        ended = desk.cli(*verb)
        reads = verb[0] in ("plan", "status", "report")
        assert ended.code == (0 if reads else 2 if verb[0] == "settle" else 8), (verb, ended)
    assert "start it as 12345, or hand the folder over: chown -R root" in desk.run().stderr
