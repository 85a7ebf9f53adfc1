"""Whatever the host hands over, in any option and any value of a plan, ends in words and one of the exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.cli.main import main
from orchestrator.errors import ExitCode

PLAN = {
    "version": "1",
    "name": "prod",
    "region": "cn-north-4",
    "project_id": "054e292c9880d4992f02c0196d3ea468",
    "target_version": "2.24.03.000",
    "proxies": [
        {"instance_id": "517ea793ab91438cbfcd9c4b1c958b1ein07", "proxy_id": "0f46fc46396e4fb19a0cb52f578e9511po01"}
    ],
}
#: A value in the place of each key that a plan may have; `{}` is where the odd text goes.
PLACES = [
    *("name", "target_version", "source_version", "region", "project_id", "endpoint", "iam_endpoint", "auth.token_env"),
    *("auth.token_file", "auth.token_command", "auth.profile", "auth.user", "scopes_required", "inventory", "exclude"),
    *("expect.min", "expect.max", "waves", "limits.concurrency", "limits.rate", "limits.in_flight", "limits.ramp"),
    *("limits.per_instance", "limits.per_label.app", "failures.max", "failures.counts", "failures.max_rejected"),
    *("failures.mode", "failures.new_reject", "fit", "follow.to", "follow.poll", "follow.timeout", "follow.expected"),
    *("follow.verify_for", "retry.attempts", "retry.backoff", "retry.max_backoff", "retry.busy", "retry.busy_for"),
    *("retry.resend_after", "http.connect_timeout", "http.timeout", "http.ca_file", "http.allow_http", "language"),
    *("metrics.textfile", "notify", "notify.0.webhook_env", "notify.0.on"),
    *("freezes.0.from", "freezes.0.to", "freezes.0.timezone", "windows.0.days", "windows.0.from", "windows.0.to"),
    *("windows.0.timezone", "waves.0.name", "waves.0.size", "waves.0.soak", "waves.0.max_failures", "waves.0.approve"),
    *("proxies.0.instance_id", "proxies.0.proxy_id", "proxies.0.labels.app", "proxies.0.source_version", "version"),
]
OPTIONS = [
    *("--state", "--log-level", "--log-format", "--log-file", "--seed", "--speed", "--faults", "--format", "--set"),
    *("--report", "--until", "--max-duration", "--wait", "--only-outcome", "--run", "--output", "--note", "--outcome"),
    *(
        "--metrics",
        "--port",
        "--instances",
        "--proxies",
        "--project-id",
        "--token",
        "--user",
        "--password",
        "--write-plan",
    ),
]
#: By option, a verb that has it; the common options are everywhere.
READ = ["status", "PLAN"]
LINES = {
    **{option: ["plan", "PLAN", "--simulate", "--offline"] for option in ("--seed", "--speed", "--faults")},
    **{option: ["plan", "PLAN", "--offline"] for option in ("--format", "--set")},
    "--only-outcome": ["run", "PLAN", "--dry-run", "--offline"],
    **{
        option: ["run", "PLAN", "--until", "never"]
        for option in ("--report", "--metrics", "--until", "--max-duration", "--wait")
    },
    **{option: ["report", "PLAN"] for option in ("--run", "--output")},
    "--note": ["hold", "PLAN"],
    "--outcome": ["settle", "PLAN", "x", "--note", "n"],
}
ODD = [
    *("", "\0", "a\0b", "caf\udce9", "\ud800", "\u2028", "--", "=", "~nobody-of-that-name/x", "../../../etc/passwd"),
    *("0", "-1", "9" * 5000, "1e400d", "9" * 400 + "d", "nan", "1e-320", "٣", "9" * 400 + "/s", "1e9%", "{", "*x"),
    *("9999-12-31", "0001-01-01T00:00:00+23:59", "2026-02-30", "/", "/dev/full/x"),
]
#: Of these, what can mean something in a plan.
ODD_VALUES = [
    "",
    "a\0b",
    "caf\udce9",
    "-1",
    "9" * 5000,
    "1e400d",
    "9" * 400 + "d",
    "9" * 400 + "/s",
    "1e9%",
    "9999-12-31",
]
ANY_TEXT = st.text(st.characters(), max_size=20)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prod.yaml").write_text(json.dumps(PLAN), encoding="utf-8")
    return tmp_path


def _expect_words(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> int:
    """The exit code of a command line, which is one of the contract and comes without a traceback."""
    try:
        code = main(arguments)
    except SystemExit as exit_:  # of the parser
        code = int(exit_.code or 0)
    said = capsys.readouterr().err
    assert "Traceback" not in said, ascii(arguments)
    assert ExitCode(code) is not ExitCode.INTERNAL, ascii((arguments, said))
    assert code == 0 or said.strip(), ascii(arguments)
    return code


def _line(words: list[str], folder: Path, *more: str) -> list[str]:
    plan, state = str(folder / "prod.yaml"), str(folder / "state")
    return [*(plan if word == "PLAN" else word for word in words), "--state", state, *more]


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_takes_odd_values(option: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for odd in ODD:
        _expect_words(_line(LINES.get(option, READ), folder, f"{option}={odd}"), capsys)


@pytest.mark.parametrize("words", [["status"], ["status", "PLAN"], ["release", "--note=n", "PLAN"], ["schema"], []])
def test_every_word_takes_odd_values(words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for odd in ODD:
        _expect_words(_line([*words, odd], folder), capsys)


@pytest.mark.parametrize("place", PLACES)
def test_every_value_of_a_plan_may_be_odd(place: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = folder / "prod.yaml"
    for odd in ODD_VALUES:
        plan.write_text(json.dumps(_with(PLAN, place.split("."), odd)), encoding="utf-8")
        code = _expect_words(["plan", str(plan), "--offline"], capsys)
        assert code in (0, 2, 7), ascii(odd)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(PLACES), text=ANY_TEXT)
def test_any_text_may_stand_in_a_plan(place: str, text: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = folder / "prod.yaml"
    plan.write_text(json.dumps(_with(PLAN, place.split("."), text)), encoding="utf-8")
    _expect_words(["plan", str(plan), "--offline"], capsys)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(column=st.sampled_from(["instance_id", "proxy_id", "source_version", "labels", "app"]), raw=st.binary())
def test_any_bytes_may_stand_in_an_inventory(
    column: str, raw: bytes, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = folder / "prod.yaml"
    for name in ("fleet.csv", "fleet.ndjson"):
        plan.write_text(json.dumps({**PLAN, "proxies": [], "inventory": name}), encoding="utf-8")
        row = {**PLAN["proxies"][0], column: "ODD"}  # type: ignore[dict-item]  # the one list there
        text = json.dumps(row) if name.endswith("ndjson") else ",".join(row) + "\n" + ",".join(row.values())
        (folder / name).write_bytes(text.encode().replace(b"ODD", raw))
        assert _expect_words(["plan", str(plan), "--offline"], capsys) in (0, 2)


def test_a_freeze_without_end_names_its_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = folder / "prod.yaml"
    plan.write_text(
        f"{json.dumps(PLAN)[:-1]},\n freezes: [{{from: 2026-12-20, to: 9999-12-31, timezone: UTC}}]}}", encoding="utf-8"
    )
    assert main(["plan", str(plan), "--offline"]) == ExitCode.USAGE
    said = capsys.readouterr().err
    assert f"{plan}:2:35: freezes[0].to: expected a day of the years 2000 to 2999" in said


@pytest.mark.parametrize(
    "option",
    ["--until=9999-12-31T23:59:59-12:00", "--max-duration=99999999d", "--wait=1e400d", f"--wait={'9' * 400}d"],
)
def test_a_bound_beyond_the_calendar_names_its_option(
    option: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(_line(["run", "PLAN"], folder, option)) == ExitCode.USAGE
    assert option.partition("=")[0] in capsys.readouterr().err


def _with(tree: Any, path: list[str], value: str) -> Any:
    """A copy of the plan with a value at this place."""
    if not path:
        return value
    head, *rest = path
    if head.isdecimal():
        below = tree[0] if isinstance(tree, list) else {"from": "2026-12-20", "to": "2026-12-24", "timezone": "UTC"}
        return [_with(below, rest, value)]
    below = tree.get(head, {}) if isinstance(tree, dict) else {}
    return {**(tree if isinstance(tree, dict) else {}), head: _with(below, rest, value)}
