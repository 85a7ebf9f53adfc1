"""Processes tell receivers: at least once through kill -9, and without a word of it in time, code or any file."""

import json
import signal
from typing import Any

import pytest
from fakes.e2e import Desk, NewCloud, expect_truth
from fakes.held_jobs import held
from fakes.receiver import Desk as Server
from fakes.receiver import receiver_server

SECRET_PATH = "/hooks/very-secret-part-of-the-address"
ALL = ["held", "approval", "person", "window_closes", "ended", "first_reject"]
HOOK = {"webhook_env": "HOOK", "secret_env": "KEY", "on": ALL}


def environ_of(server: Server) -> dict[str, str]:
    return {"HOOK": server.url + SECRET_PATH, "KEY": "a-key-that-both-know"}


def events(server: Server, to: str = SECRET_PATH) -> list[dict[str, Any]]:
    return [json.loads(body) for method, path, _, body in server.got if method == "POST" and path == to]


def types(server: Server) -> list[str]:
    return [event["type"].removeprefix("orchestrator.") for event in events(server)]


def files_hold(desk: Desk, secret: str) -> bool:
    return any(secret.encode() in path.read_bytes() for path in desk.state.rglob("*") if path.is_file())


def test_an_end_is_told_to_each_kind_of_receiver(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    got = desk.folder / "event.json"
    desk.write(notify=[HOOK, {"ping_env": "HOOK"}, {"command": ["tee", str(got)], "on": ["ended"]}])
    with receiver_server() as server:
        ended = desk.run(environ=environ_of(server))
    assert ended.code == 0
    assert types(server) == ["ended"]
    assert server.paths == [f"{SECRET_PATH}/start", *sorted([SECRET_PATH] * 2)]
    data = events(server)[0]["data"]
    assert (data["targets"], data["counts"]) == (2, {"succeeded": 2})
    assert data["report"] == str(desk.run_folder / "report.json")
    assert str(desk.plan) in data["next_step"]
    assert json.loads(got.read_bytes())["id"] == events(server)[0]["id"]
    assert "warnings" not in ended.stderr
    assert desk.report["run"]["warnings"] == []


#: A command as the server behaves, in a session that is told so: it may outlive one that is killed.
_DEAF = {
    "refuses": "exit 1",
    "closes": "exec 0<&-; exit 1",
    "hangs": 'until test -e "$0/there"; do sleep 0.1; done; exit 1',
    "gone": "exec /no/such/program",
}


def kinds_of(desk: Desk, manner: str) -> list[dict[str, Any]]:
    """One receiver of each kind."""
    script = f'test -z "$DEAF" || {{ {_DEAF[manner]}; }}; cat >> "$0/heard"; echo >> "$0/heard"'
    command = {"command": ["sh", "-c", script, str(desk.folder)], "on": ALL}
    return [HOOK, {"ping_env": "PING"}, {"apprise_env": "CHAT", "on": ALL}, command]


def addresses(url: str, *, deaf: bool = False) -> dict[str, str]:
    chat = url.replace("http://", "json://") + "/chat"
    return {
        "DEAF": "yes" if deaf else "",
        "HOOK": url + SECRET_PATH,
        "KEY": "a-key-that-both-know",
        "PING": url + "/ping",
        "CHAT": chat,
    }


def held_in(told: list[dict[str, Any]]) -> bool:
    return [each["type"] for each in told] == ["orchestrator.held"]


@pytest.mark.slow
@pytest.mark.parametrize("manner", ["refuses", "closes", "hangs", "gone"])
def test_what_a_killed_process_did_not_come_to_tell_is_told_by_the_next(new_cloud: NewCloud, manner: Any) -> None:
    """To each kind of receiver, whatever kept it from being told; the fleet goes on as without one."""
    desk = new_cloud(2, fates=held())
    desk.write(waves=[{"name": "all"}], limits={"in_flight": 1}, notify=kinds_of(desk, manner))
    with receiver_server("refuses" if manner == "gone" else manner) as server:
        deaf = addresses("http://127.0.0.1:9" if manner == "gone" else server.url, deaf=True)
        running = desk.start("run", "PLAN", environ=deaf)
        desk.until_recorded("answer_seen")
        desk.cli("hold", "PLAN", "--note", "incident 4711")
        desk.until_recorded("hold_set")
        running.signal(signal.SIGKILL)
        running.end()
        desk.end_jobs()
    (desk.folder / "there").touch()
    with receiver_server() as server:
        bodies: dict[str, bytes] = {}
        pings: list[str] = []
        heard = desk.folder / "heard"
        # A session tells for some seconds at its end; a slow machine needs another one.
        while not ({"/chat", SECRET_PATH} <= bodies.keys() and "/fail" in pings and heard.exists()):
            assert desk.run(environ=addresses(server.url)).code == 3
            bodies = {path: body for method, path, _, body in server.got if method == "POST"}
            pings = [path.removeprefix("/ping") for method, path, _, _ in server.got if method == "GET"]
        assert held_in(events(server))
        assert "incident 4711" in events(server)[0]["data"]["sentence"]
        assert "release" in events(server)[0]["data"]["next_step"]
        assert held_in([json.loads(line) for line in heard.read_text().splitlines()])
        assert b"incident 4711" in bodies["/chat"]
        assert pings[:3] == ["/start", "/start", "/fail"], "in order; the one that was killed has no end"
        desk.cli("release", "PLAN", "--note", "go on")
        assert desk.run(environ=addresses(server.url)).code == 0
        assert [each["type"] for each in events(server)] == ["orchestrator.held", "orchestrator.ended"]
    expect_truth(desk)


@pytest.mark.parametrize("manner", ["refuses", "closes", "hangs", "gone"])
def test_receivers_that_take_nothing_change_nothing(new_cloud: NewCloud, manner: Any) -> None:
    """One of each kind: the outcome, the code and the report are as without them; what they missed is told later."""
    desk = new_cloud(2)
    desk.write(notify=kinds_of(desk, manner))
    with receiver_server("refuses" if manner == "gone" else manner) as server:
        ended = desk.run(environ=addresses("http://127.0.0.1:9" if manner == "gone" else server.url, deaf=True))
    assert ended.code == 0
    assert desk.report["totals"]["outcomes"] == {"succeeded": 2}
    [warning] = desk.report["run"]["warnings"]
    assert warning.startswith("the notifications: 5 notifications not delivered (")
    assert all(
        name in warning for name in ("webhook_env HOOK: ", "ping_env PING: ", "apprise_env CHAT: ", "command sh ")
    )
    assert warning.endswith("the next session sends them")
    assert manner != "hangs" or "in time" in warning
    assert "very-secret" not in ended.stderr + ended.stdout
    assert not files_hold(desk, "very-secret")
    assert not files_hold(desk, "a-key-that-both-know")
    (desk.folder / "there").touch()
    with receiver_server() as server:
        while not types(server):  # as above
            assert desk.run(environ=addresses(server.url)).code == 0
        assert types(server)[0] == "ended"


def test_a_simulated_run_tells_nobody(new_cloud: NewCloud) -> None:
    desk = new_cloud(1)
    desk.write(notify=[HOOK])
    with receiver_server() as server:
        assert desk.run("--simulate", "--speed", "1000", "--faults", "none", environ=environ_of(server)).code == 0
        assert server.got == []


def test_a_test_event_says_who_took_it(new_cloud: NewCloud) -> None:
    desk = new_cloud(1)
    assert desk.cli("notify", "test", "PLAN").code == 2
    desk.write(notify=[HOOK, {"command": ["false"]}, {"ping_env": "NOT_SET"}])
    with receiver_server() as server:
        ended = desk.cli("notify", "test", "PLAN", environ=environ_of(server))
    assert (ended.code, types(server)) == (1, ["test"])
    lines = ended.stdout.splitlines()
    assert lines[0].startswith("✓ webhook_env HOOK: told in ")
    assert lines[1:] == [
        "✗ command false: ended with 1; run it by hand to see why",
        "✗ ping_env NOT_SET: $NOT_SET is not set",
    ]
    assert not desk.state.exists()
