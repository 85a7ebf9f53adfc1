"""Signals, two starts at once, and pipes that close: the run stops in good order, and the next start completes it."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from fakes.bad_servers import answer, bad_server
from fakes.e2e import IMPATIENT, Desk, NewCloud, expect_truth
from fakes.held_jobs import held
from fakes.processes import PATIENCE_S, Running

from orchestrator.simulator.profile import ScriptedFault, Timing

#: Jobs that take longer than a test, so that a signal always finds them under way.
SLOW = Timing(node_s=20_000_000.0, visible_s=(0.0, 1.0))


@pytest.fixture
def busy(new_cloud: NewCloud) -> Desk:
    """A fleet of six in one wave, two at a time."""
    desk = new_cloud(6, timing=SLOW)
    desk.write(waves=[{"name": "all"}], limits={"in_flight": 2}, follow={"timeout": "10m"})
    return desk


def _start(desk: Desk, *arguments: str) -> Running:
    running = desk.start("run", "PLAN", *arguments)
    desk.until_recorded("answer_seen", count=2)
    return running


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_one_signal_ends_the_session_in_good_order(busy: Desk, number: signal.Signals) -> None:
    running = _start(busy)
    before = busy.books()["calls"]["upgrade"]
    running.signal(number)
    ended = running.end()  # it does not wait for jobs, which outlast every patience
    assert ended.code == 5
    assert number.name in ended.stdout
    assert busy.books()["calls"]["upgrade"] == before
    report = expect_truth(busy)
    assert report["totals"]["outcomes"] == {"in_flight": 2, "waiting": 4}
    assert report["run"]["exit_code"] == 5
    assert busy.records()[-1]["record"] == "session_ended"


@pytest.mark.slow
def test_after_a_signal_the_next_start_completes_the_run(new_cloud: NewCloud) -> None:
    desk = new_cloud(3, fates=held())
    running = desk.start("run", "PLAN")
    desk.until_recorded("answer_seen")
    running.signal()
    assert running.end().code == 5
    desk.end_jobs()
    run_id = desk.report["run"]["run_id"]
    assert desk.run().code == 0
    report = expect_truth(desk)
    assert report["run"]["run_id"] == run_id
    assert report["run"]["sessions"] == 2
    assert set(desk.effective_starts().values()) == {1}


@pytest.mark.slow
def test_two_signals_end_it_at_once(new_cloud: NewCloud) -> None:
    """The second one does not wait for a call that hangs; the journal is right all the same."""
    desk = new_cloud(2, faults=(ScriptedFault(call="upgrade", fault="silence", nth=2),))
    desk.write(http={"timeout": "10m"})
    running = desk.start("run", "PLAN")
    desk.until_recorded("intent", count=2)
    desk.until(lambda: desk.books()["calls"]["upgrade"] == 2)
    running.signal()
    desk.until(lambda: not running.pending(signal.SIGTERM))
    assert running.process.poll() is None, "the call under way is finished first"
    running.signal()
    assert running.end().code == 5
    desk.write(**IMPATIENT)
    assert desk.run().code == 0
    expect_truth(desk)
    assert set(desk.effective_starts().values()) == {1}


def test_a_signal_counts_before_the_session_begins(desk: Desk) -> None:
    running = desk.start("run", "PLAN")
    desk.until((desk.fleet / "lock").exists)
    running.signal()
    assert running.end().code == 5


@pytest.mark.slow
def test_many_signals_end_it_with_its_own_exit_code(busy: Desk) -> None:
    """Two at once, and more while the process says its last words."""
    running = _start(busy)
    while running.process.poll() is None:
        running.signal()
    assert running.end().code == 5


def test_a_signal_while_a_scope_is_probed(desk: Desk) -> None:
    with bad_server(answer("502 Bad Gateway", b"")) as server:
        desk.url = server.url
        desk.write(retry={"attempts": 100, "backoff": "10m", "max_backoff": "10m"})
        running = desk.start("run", "PLAN")
        desk.until(lambda: bool(server.requests))
        running.signal()
        assert running.end().code == 5
    assert desk.report["totals"]["outcomes"] == {"waiting": 3}


def test_a_signal_during_a_soak(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    desk.write(waves=[{"name": "canary", "size": 1, "soak": "5m"}, {"name": "rest"}])
    running = desk.start("run", "PLAN")
    desk.until_recorded("wave_soaking")
    running.signal()
    assert running.end().code == 5
    assert desk.report["waves"][0]["state"] == "soaking"


def test_a_closed_terminal_that_nohup_ignores_is_ignored(busy: Desk) -> None:
    running = busy.start("run", "PLAN", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    busy.until_recorded("answer_seen", count=2)
    running.signal(signal.SIGHUP)  # would be taken first, had it not been ignored
    running.signal(signal.SIGTERM)
    ended = running.end()
    assert ended.code == 5
    assert "SIGTERM" in ended.stdout


# --- two at once ------------------------------------------------------------------------------------------------------


def test_of_two_runs_one_works_and_the_other_says_who_does(busy: Desk) -> None:
    running = _start(busy)
    second = busy.run()
    quiet = busy.run("--quiet")
    status = busy.cli("status", "PLAN")
    new = busy.run("--new")
    running.signal()
    running.end()
    assert (second.code, second.stdout) == (4, "")
    assert f"process {running.process.pid} on " in second.stderr
    assert (quiet.code, quiet.stdout, quiet.stderr) == (4, "", "")
    assert new.code == 4
    assert status.code == 0
    assert f"process {running.process.pid} on " in status.stdout
    assert "2 in_flight" in " ".join(status.stdout.split())
    assert "4 waiting" in " ".join(status.stdout.split())


@pytest.mark.slow
def test_six_starts_at_once_make_one_run(new_cloud: NewCloud) -> None:
    desk = new_cloud(2, timing=SLOW)
    started = [desk.start("run", "PLAN", "--quiet") for _ in range(6)]
    desk.until_recorded("answer_seen")
    for running in started:
        running.signal()
    codes = sorted(running.end().code for running in started)
    assert codes.count(5) >= 1
    assert set(codes) <= {4, 5, -signal.SIGTERM}  # the last: of one whose interpreter was still starting
    assert len(list((desk.fleet / "runs").iterdir())) == 1
    assert max(desk.effective_starts().values()) == 1


def test_a_killed_process_leaves_no_lock(busy: Desk) -> None:
    running = _start(busy)
    running.signal(signal.SIGKILL)
    running.end()
    assert "killed" in busy.cli("status", "PLAN").stdout
    again = busy.start("run", "PLAN")
    busy.until_recorded("session_started", count=2)
    again.signal()
    assert again.end().code == 5


# --- pipes ------------------------------------------------------------------------------------------------------------


def test_a_closed_stdout_ends_nothing(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    reading, writing = os.pipe()
    running = desk.start("run", "PLAN", stdout=writing)
    os.close(writing)
    os.close(reading)
    ended = running.end()
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr
    assert ended.code == 0
    assert desk.report["totals"]["outcomes"] == {"succeeded": 2}


def test_a_closed_stderr_ends_nothing(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    reading, writing = os.pipe()
    running = desk.start("run", "PLAN", stderr=writing)
    os.close(writing)
    os.close(reading)
    assert running.end().code == 0
    assert desk.report["totals"]["outcomes"] == {"succeeded": 2}


def test_a_closed_stdout_does_not_hide_the_exit_code(desk: Desk) -> None:
    desk.write(retry={"attempts": 1})
    reading, writing = os.pipe()
    running = desk.start("run", "PLAN", stdout=writing)
    os.close(writing)
    os.close(reading)
    assert running.end().code == 7


@pytest.mark.parametrize("closed", ["stdout", "stderr", "both"])
def test_without_open_streams(new_cloud: NewCloud, closed: str) -> None:
    """As `>&-` in a shell: the descriptor is not there at all."""
    desk = new_cloud(1)
    handles = {"stdout": (1,), "stderr": (2,), "both": (1, 2)}[closed]

    def close() -> None:
        for handle in handles:
            os.close(handle)

    running = desk.start("run", "PLAN", stdout=None, stderr=None, preexec_fn=close)
    assert running.process.wait(PATIENCE_S) == 0
    assert desk.report["totals"]["outcomes"] == {"succeeded": 1}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_output_that_could_not_be_written_is_told(desk: Desk) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ended = desk.cli("schema", "plan", stdout=full)
    assert ended.code == 8
    assert ended.messages == ["orchestrator: cannot write to standard output: No space left on device"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_behind_the_streams_does_not_hide_the_exit_code(new_cloud: NewCloud) -> None:
    """As `>> run.log 2>&1` of cron."""
    desk = new_cloud(2)
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        assert desk.start("run", "PLAN", stdout=full, stderr=full).end().code == 0
        assert desk.report["totals"]["outcomes"] == {"succeeded": 2}
        full_disk = "No space left on device"
        assert desk.report["run"]["warnings"] == [f"standard output: {full_disk}", f"standard error: {full_disk}"]
        assert desk.start("run", "PLAN", "--new", "--log-file", "/dev/full").end().code == 0
        assert desk.report["run"]["warnings"] == [f"the log: {full_disk}"]
        assert desk.start("hold", "PLAN", "--note", "n", stdout=full, stderr=full).end().code == 0
    assert desk.run().code == 3


@pytest.mark.parametrize("target", ["/dev/full", "/dev/stdout", "copy/is/a/folder"])
def test_a_copy_of_the_report_that_cannot_be_written_is_a_warning(new_cloud: NewCloud, target: str) -> None:
    desk = new_cloud(2)
    reading, writing = os.pipe()
    os.close(reading)
    running = desk.start("run", "PLAN", "--report", target, stdout=writing)
    os.close(writing)
    ended = running.end()
    if target == "copy/is/a/folder":
        assert ended.code == 2, "what is obviously wrong is said before anything is sent"
        assert not desk.state.exists()
        return
    assert ended.code == 0, ended
    assert "report.not_copied" in {line["event"] for line in ended.logs}
    expect_truth(desk)
    [warning] = desk.report["run"]["warnings"]
    assert warning.startswith(f"the copy of the report: {target}: cannot write: ")
    assert warning in desk.cli("report", "PLAN", "--format", "text").stdout
    assert desk.report["totals"]["outcomes"] == {"succeeded": 2}


@pytest.mark.parametrize(("option", "code"), [("--log-file", 8), ("--report", 0)])
def test_a_pipe_that_nobody_reads_is_not_waited_for(new_cloud: NewCloud, option: str, code: int) -> None:
    desk = new_cloud(1)
    pipe = desk.folder / "pipe"
    os.mkfifo(pipe)
    ended = desk.run(option, pipe)
    assert ended.code == code
    assert f"{pipe}: cannot write" in ended.stderr
    assert "a pipe that nobody reads" in ended.stderr


def test_a_log_goes_to_a_pipe_that_is_read(new_cloud: NewCloud) -> None:
    desk = new_cloud(1)
    pipe = desk.folder / "pipe"
    os.mkfifo(pipe)
    with os.fdopen(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), encoding="utf-8") as reader:
        assert desk.run("--log-file", pipe).code == 0
        assert "run.ended" in reader.read()


def test_head_of_a_long_preview(desk: Desk) -> None:
    proxies = [{"instance_id": f"{n:032x}in07", "proxy_id": f"{n:032x}po01"} for n in range(5000)]
    desk.write(proxies=proxies)
    running = desk.start("plan", "PLAN", "--offline", stderr=subprocess.PIPE)
    assert running.process.stdout is not None
    running.process.stdout.readline()
    running.process.stdout.close()
    running.process.stdout = None
    assert running.process.stderr is not None
    assert running.process.stderr.read() == ""
    assert running.process.wait(PATIENCE_S) == 0
    running.process.stderr.close()
