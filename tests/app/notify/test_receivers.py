"""Each kind of receiver: what it gets, and what is said of one that hangs, refuses, closes early or is gone."""

import json
import os
import socket
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.clock import START
from fakes.receiver import Desk, Manner, receiver_server
from fakes.recorded import make_plan, make_targets
from msgspec.structs import replace

from orchestrator.app.notify import receivers as module
from orchestrator.app.notify.notice import SIGNATURE, Notice, signed
from orchestrator.app.notify.receivers import ping_address, receivers, run_command
from orchestrator.app.notify.untold import Untold
from orchestrator.model.plan.health_gate import HealthGate, HttpQuestion
from orchestrator.model.plan.plan import Http, Notify, Plan

NOTICE = Notice(
    id="held-1",
    kind="held",
    at=START,
    fleet="prod",
    run_id="r1",
    target_version="2.24.03.000",
    sentence="the fleet is held: 2 failures, 1 allowed",
    proxy_ids=("p1", "p2"),
    targets=3,
    counts={"failed": 2, "waiting": 1},
    next_step='orchestrator release prod.yaml --note "why"',
    report="/srv/report.json",
)
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Apprise's own imports

SECRET_PATH = "/hooks/very-secret-part-of-the-address"
KEY = "a-key-that-both-know"

#: By the name of a kind, its entry in a plan. The command is a program that posts.
ENTRIES = {
    "webhook": Notify(webhook_env="HOOK", secret_env="KEY"),
    "ping": Notify(ping_env="HOOK"),
    "apprise": Notify(apprise_env="APPRISE"),
}


def plan_with(*entries: Notify, http: Http = Http()) -> Plan:  # noqa: B008  # a frozen value
    return make_plan(make_targets(1), notify=entries, http=http)


def told(entry: Notify, environ: dict[str, str], http: Http = Http(), notice: Notice = NOTICE) -> str | None:  # noqa: B008  # a frozen value
    """Why a receiver was not told; None when it was."""
    [receiver] = receivers(plan_with(entry, http=http), environ)
    try:
        receiver.tell(notice)
    except Untold as untold:
        return str(untold)
    return None


def environ_of(desk: Desk) -> dict[str, str]:
    address = desk.url.removeprefix("http://")
    return {"HOOK": desk.url + SECRET_PATH, "KEY": KEY, "APPRISE": f"json://{address}{SECRET_PATH}"}


@pytest.fixture
def desk() -> Iterator[Desk]:
    with receiver_server() as desk:
        yield desk


def test_a_webhook_gets_a_cloud_event_that_is_signed(desk: Desk) -> None:
    assert told(ENTRIES["webhook"], environ_of(desk)) is None
    [(method, path, headers, body)] = desk.got
    assert (method, path) == ("POST", SECRET_PATH)
    assert headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert headers[SIGNATURE.lower()] == signed(body, KEY)
    event = json.loads(body)
    assert {key: event[key] for key in ("specversion", "id", "source", "type", "subject", "datacontenttype")} == {
        "specversion": "1.0",
        "id": "held-1",
        "source": "/orchestrator/prod",
        "type": "orchestrator.held",
        "subject": "r1",
        "datacontenttype": "application/json",
    }
    assert event["time"] == "2026-03-01T22:00:00Z"
    assert event["data"]["counts"] == {"failed": 2, "waiting": 1}
    assert event["data"]["next_step"] == NOTICE.next_step
    assert (event["data"]["report"], event["data"]["proxy_ids"]) == ("/srv/report.json", ["p1", "p2"])


def test_without_a_secret_nothing_is_signed(desk: Desk) -> None:
    assert told(Notify(webhook_env="HOOK"), environ_of(desk)) is None
    assert SIGNATURE.lower() not in desk.got[0][2]


def test_apprise_gets_text_for_people(desk: Desk) -> None:
    assert told(ENTRIES["apprise"], environ_of(desk)) is None
    body = json.loads(desk.got[0][3])
    assert body["title"] == "prod -> 2.24.03.000: the fleet is held: 2 failures, 1 allowed"
    assert body["message"].splitlines() == [
        "3 targets: 2 failed, 1 waiting",
        "run r1",
        "targets: p1, p2",
        'do: orchestrator release prod.yaml --note "why"',
        "report: /srv/report.json",
    ]


@pytest.mark.parametrize(
    ("kind", "exit_code", "end"),
    [
        ("session_started", None, "/start"),
        *(("session_ended", code, "") for code in (0, 5)),
        *(("session_ended", code, "/fail") for code in (1, 3, 6, 7, 8, 70)),
        ("held", None, "/fail"),
        ("test", None, ""),
    ],
)
def test_a_dead_mans_switch_is_told_how_a_session_went(kind: Any, exit_code: int | None, end: str) -> None:
    notice = Notice(
        id="x", kind=kind, at=START, fleet="f", run_id="r", target_version="2", sentence="s", exit_code=exit_code
    )
    assert ping_address("https://hc/ping/uuid", notice) == f"https://hc/ping/uuid{end}"
    assert ping_address("https://hc/push/id?status=up", notice) == f"https://hc/push/id{end}?status=up"


def test_a_ping_is_a_get_and_is_told_of_each_session(desk: Desk) -> None:
    assert told(ENTRIES["ping"], environ_of(desk)) is None
    assert [(method, path) for method, path, _, _ in desk.got] == [("GET", SECRET_PATH + "/fail")]
    [receiver] = receivers(plan_with(ENTRIES["ping"]), {})
    assert {"session_started", "session_ended"} <= receiver.kinds


#: Apprise has a time-out of its own, and follows redirects as it likes.
MANNERS: list[tuple[str, Manner]] = [
    *((kind, manner) for kind in ("webhook", "ping") for manner in ("refuses", "closes", "hangs", "redirects")),
    *(("apprise", manner) for manner in ("refuses", "closes")),
]


@pytest.mark.parametrize(("kind", "manner"), MANNERS)
def test_one_that_does_not_take_it_is_not_told(kind: str, manner: Manner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ATTEMPT_S", 0.2 if manner == "hangs" else 60.0)
    with receiver_server(manner) as desk:
        why = told(ENTRIES[kind], environ_of(desk))
        assert desk.got
    assert why is not None
    assert "/elsewhere" not in desk.paths
    expected = {"refuses": "500", "closes": "ended without an answer", "hangs": "in time", "redirects": "302"}
    assert why == "did not take it" if kind == "apprise" else expected[manner] in why
    assert not any(secret in why for secret in ("very-secret", "127.0.0.1", KEY))


@pytest.mark.parametrize("kind", ENTRIES)
def test_one_that_is_gone_is_not_told(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    why = told(ENTRIES[kind], environ_of(Desk(url=f"http://127.0.0.1:{port}")))
    assert why == ("did not take it" if kind == "apprise" else "Connection refused")


@pytest.mark.parametrize("kind", ENTRIES)
@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "is not set"),
        ("", "is empty"),
        ("'https://host/x'", "stands in quotes"),
        ("very secret words", "no address"),
        ("ftp://host/very-secret", "no address"),
        ("http://[very-secret", "no address"),
    ],
)
def test_a_variable_that_holds_no_address_is_said_without_its_value(kind: str, value: str | None, why: str) -> None:
    name = {"apprise": "APPRISE"}.get(kind, "HOOK")
    said = told(ENTRIES[kind], {"KEY": KEY, **({} if value is None else {name: value})})
    assert said is not None
    assert why in said or kind == "apprise"
    assert "very" not in said


def test_plain_http_beyond_this_machine_needs_to_be_allowed() -> None:
    why = told(ENTRIES["webhook"], {"HOOK": "http://192.0.2.1/x", "KEY": KEY})
    assert why is not None
    assert "plain http" in why


def script(folder: Path, text: str) -> tuple[str, ...]:
    path = folder / "tell.py"
    path.write_text(f"#!{sys.executable}\n{text}", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return (str(path), "one two")


def test_a_command_gets_the_event_on_its_stdin_and_its_arguments(tmp_path: Path) -> None:
    command = script(tmp_path, "import sys, pathlib\npathlib.Path('got').write_text(sys.argv[1] + sys.stdin.read())")
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        assert told(Notify(command=command), dict(os.environ)) is None
    finally:
        os.chdir(before)
    text = (tmp_path / "got").read_text(encoding="utf-8")
    assert text.startswith("one two")
    assert json.loads(text.removeprefix("one two"))["id"] == "held-1"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import sys\nprint('secret', file=sys.stderr)\nsys.exit(3)", "ended with 3; run it by hand to see why"),
        ("import time\ntime.sleep(600)", "did not end within 0.3 s"),
        ("import sys\nsys.stdin.close()", None),
    ],
)
def test_a_command_that_fails_or_hangs_is_not_told(
    tmp_path: Path, text: str, why: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ATTEMPT_S", 0.3 if "sleep" in text else 60.0)
    began = time.monotonic()
    assert told(Notify(command=script(tmp_path, text)), dict(os.environ)) == why
    assert time.monotonic() - began < 60


def test_a_command_finds_no_secret_that_the_plan_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = Notify(command=script(tmp_path, "import os\nopen('found', 'w').write(str(dict(os.environ)))"))
    secret = {"HW_AUTH_TOKEN": "s", "HUAWEICLOUD_SDK_SK": "s", "HOOK": "s", "KEY": "s", "GATE_TOKEN": "s"}
    gate = HealthGate(name="app", http=HttpQuestion(url="https://app.example/ready", token_env="GATE_TOKEN"))
    plan = replace(plan_with(ENTRIES["webhook"], command), gates=(gate,))
    monkeypatch.chdir(tmp_path)
    receivers(plan, {**os.environ, **secret, "TEAM": "db"})[1].tell(NOTICE)
    found = (tmp_path / "found").read_text()
    assert "'TEAM': 'db'" in found
    assert [name for name in secret if name in found] == []


def test_a_command_that_is_not_there_is_said() -> None:
    with pytest.raises(Untold, match="No such file"):
        run_command(["/no/such/program"], {}, b"")


def test_two_entries_of_one_receiver_are_one() -> None:
    both = (Notify(webhook_env="HOOK", on=("held",)), Notify(webhook_env="HOOK", on=("ended",)))
    [receiver] = receivers(plan_with(*both), {})
    assert receiver.kinds == {"held", "ended"}


def test_what_nobody_may_see_is_known() -> None:
    [receiver] = receivers(plan_with(ENTRIES["webhook"]), {"HOOK": " https://h/x\n", "KEY": KEY})
    assert [secret.reveal() for secret in receiver.secrets] == ["https://h/x", KEY]
