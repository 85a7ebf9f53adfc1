"""What a person types wrong: one message with the cause and a guess, exit code 2, and nothing that moves the cursor."""

import json
import re
import shlex
from html import unescape
from pathlib import Path

import pytest

from orchestrator.cli.grammar.parser import parse
from orchestrator.cli.main import main
from orchestrator.cli.options import Options
from orchestrator.errors import ExitCode

ROOT = Path(__file__).parents[2] / "orchestrator"
PLAN = """\
version: 1
region: cn-north-4
project_id: 054e292c9880d4992f02c0196d3ea468
target_version: 2.24.03.000
proxies:
  - instance_id: 517ea793ab91438cbfcd9c4b1c958b1ein07
    proxy_id: 0f46fc46396e4fb19a0cb52f578e9511po01
    labels: {app: x}
"""


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("HW_AUTH_TOKEN", "NOT_SET"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "prod.yaml"
    file.write_text(PLAN, encoding="utf-8")
    return file


def said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    try:
        code = main(arguments)
    except SystemExit as exit_:  # of the parser
        code = int(exit_.code or 0)
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("plan prod.yaml --ofline", "plan: there is no '--ofline'; did you mean --offline?"),
        ("plan prod.yaml --ofline", "hint: orchestrator plan --help"),
        ("limit prod.yaml --inflight=4 --note n", "hint: orchestrator limit --help"),
        ("run prod.yaml --seed=-1", "hint: orchestrator run --help"),
        ("claim prod.yaml --from old.yaml --note n", "claim: takes no --note, which is an option of hold, release, "),
        ("run prod.yaml --dryrun", "did you mean --dry-run?"),
        ("run prod.yaml --until=05:00 --max-durations=5m", "did you mean --max-duration?"),
        ("stauts prod.yaml", "there is no 'stauts'; did you mean status?"),
        ("frobnicate prod.yaml", "there is no 'frobnicate'; there are plan, run, "),
        (
            "settle prod.yaml x --outcome notsent --note n",
            "argument --outcome: there is no 'notsent'; did you mean not_sent?",
        ),
        ("run prod.yaml --only-outcome fialed", "argument --only-outcome: there is no 'fialed'; did you mean failed?"),
        ("plan prod.yaml --format jsn", "argument --format: there is no 'jsn'; did you mean json?"),
        ("run prod.yaml --dry-run --report r.json", "argument --report: a dry run has none to write"),
        ("run prod.yaml --metrics m.prom --dry-run", "argument --metrics: a dry run has none to write"),
        ("status prod.yaml a b", "'b' is one word too many for status"),
        ("status prod.yaml a ü", "hint: orchestrator status --help"),
        ("plan nope.yaml --offline", "nope.yaml: there is no such plan file"),
        ("plan . --offline", ".: is a folder, not a plan file"),
        ("plan prod.yaml/x --offline", "cannot be read: Not a directory"),
        ("", "VERB is missing"),
        ("hold prod.yaml", "--note is missing: say why, in a few words"),
        ("hold prod.yaml", 'such as: orchestrator hold plans/prod.yaml --note "incident 4711"'),
        ("settle prod.yaml x", "--outcome, --note are missing: say what became of it"),
        ("run", "PLAN is missing: name the plan file"),
        ("run prod.yaml --only-outcome in_doubt", "in_doubt is no outcome yet: what became of such a proxy"),
        ("run prod.yaml --only-outcome failed,timed_out", "orchestrator settle PLAN PROXY_ID --outcome"),
    ],
)
def test_a_wrong_command_line_is_one_message(
    line: str, told: str, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plan.exists()
    code, out, err = said(line.split(), capsys)
    assert (code, out) == (ExitCode.USAGE, "")
    assert told in err
    assert len(err.splitlines()) <= 2


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "prod.yaml:1:1: is empty"),
        (b"# nothing\n", "prod.yaml:1:1: is empty"),
        (b"\x1f\x8b\x08\x00\x00", "prod.yaml:1:2: not UTF-8"),
        (
            PLAN.encode("utf-16-le"),
            "prod.yaml:1:2: a YAML text must not hold the character U+0000; it looks like UTF-16",
        ),
        (PLAN.replace("cn-north-4", "{{ region }}").encode(), "prod.yaml:2:10: a key must be plain text; templates"),
        (b"a" * 1_000_000, "prod.yaml:1:1: expected keys and values"),
        (b"[" * 1_000, "prod.yaml:1:"),
    ],
    ids=["empty", "comment", "gzip", "utf16", "template", "one-word", "deep"],
)
def test_a_file_that_is_no_plan_is_one_message_with_its_place(
    data: bytes, told: str, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan.write_bytes(data)
    code, out, err = said(["plan", "prod.yaml", "--offline"], capsys)
    assert (code, out) == (ExitCode.USAGE, "")
    assert err.startswith(told)
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    "data", [b"\xef\xbb\xbf" + PLAN.encode(), PLAN.replace("\n", "\r\n").encode(), PLAN.encode("utf-16")]
)
def test_marks_and_line_ends_of_other_systems_are_fine(
    data: bytes, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan.write_bytes(data)
    assert said(["plan", "prod.yaml", "--offline"], capsys)[0] == ExitCode.DONE


@pytest.mark.parametrize("folder", ["/dev/fd/{}", "/proc/self/fd/{}"])
def test_a_plan_without_a_file_needs_a_name(folder: str, plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with plan.open("rb") as file:
        code, _, err = said(["plan", folder.format(file.fileno()), "--offline"], capsys)
    assert code == ExitCode.USAGE
    assert "name: a plan that is read from a pipe needs one" in err


@pytest.mark.parametrize(
    "line",
    [
        "\x1b[31m",
        "run --\x1b]0;x\x07 prod.yaml",
        "plan \x1b[2J.yaml",
        "plan prod.yaml --offline --set x.\x9b=1",
        "plan prod.yaml --format \u202e",
    ],
)
def test_nothing_that_was_typed_moves_the_cursor(line: str, plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert plan.exists()
    code, out, err = said(line.split(" "), capsys)
    assert code == ExitCode.USAGE
    assert all(char.isprintable() or char == "\n" for char in out + err)


@pytest.mark.parametrize("form", ["table", "json", "html"])
def test_nothing_in_a_plan_moves_the_cursor(form: str, plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan.write_text(PLAN.replace("{app: x}", r'{app: "\e[31m\u009b2J\u202e"}'), encoding="utf-8")
    code, out, err = said(["plan", "prod.yaml", "--offline", "--format", form], capsys)
    assert code == ExitCode.DONE
    assert all(char.isprintable() or char == "\n" for char in out + err)
    if form == "json":
        (target,) = (t for wave in json.loads(out)["waves"] for group in wave["groups"] for t in group["targets"])
        assert target["labels"] == {"app": "\x1b[31m\x9b2J\u202e"}


def test_a_preview_as_a_page_names_the_command_that_starts_exactly_this(
    plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["prod.yaml", "--set", "limits.in_flight=3", "--until", "23:00", "--simulate", "--seed", "7"]
    _, page, _ = said(["plan", *asked, "--offline", "--format", "html"], capsys)
    found = re.search(r'<code class="command">(.*?)</code>', page)
    assert found is not None
    words = shlex.split(unescape(re.sub(r"</?span>", "", found[1])))
    assert words[:3] == ["orchestrator", "run", str(plan)]
    assert [*parse(words[1:]).overrides.items()] == [("limits.in_flight", "3")]
    assert (parse(words[1:]).until, parse(words[1:]).seed, parse(words[1:]).simulate) == ("23:00", 7, True)


def test_all_text_is_printed_in_one_place() -> None:
    """`cli.terminal` writes characters that move the cursor out; `report` hands on what its forms have made plain."""
    allowed = {"cli/terminal.py", "cli/streams.py", "cli/verbs/verb_report.py", "log.py"}
    found = {
        str(file.relative_to(ROOT))
        for file in ROOT.rglob("*.py")
        if re.search(r"sys\.std(out|err)\.(write|buffer)|\bprint\(", file.read_text(encoding="utf-8"))
    }
    assert found <= allowed


@pytest.mark.parametrize(
    ("quiet", "mapped", "code", "silent"),
    [
        (True, (), ExitCode.DONE, True),
        (True, (), ExitCode.LOCKED, True),
        (True, (), ExitCode.MORE_TO_DO, True),
        (True, (), ExitCode.HELD, False),
        (True, (3,), ExitCode.HELD, True),
        (True, (3,), ExitCode.PERSON_NEEDED, False),
        (False, (3,), ExitCode.HELD, False),
        (False, (), ExitCode.DONE, False),
    ],
)
def test_quiet_is_silent_on_what_counts_as_success(
    quiet: bool, mapped: tuple[int, ...], code: ExitCode, silent: bool
) -> None:
    assert Options(quiet=quiet, success_codes=frozenset(mapped)).silences(code) is silent


def test_quiet_tells_an_error_once(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan.write_text(PLAN + "auth: {token_env: NOT_SET}\n", encoding="utf-8")
    code, out, err = said(["run", "prod.yaml", "--quiet"], capsys)
    assert code == ExitCode.SCOPE_UNUSABLE
    assert (out + err).count("NOT_SET") == 1
    code, out, err = said(["run", "prod.yaml", "--quiet", "--success-codes", "7"], capsys)
    assert (code, out, err) == (0, "", "")


def test_a_plan_of_which_nothing_can_be_read_shows_the_error_alone(
    plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan.write_text(PLAN + "auth: {token_env: NOT_SET}\n", encoding="utf-8")
    told = "orchestrator: scope default cannot be used: credentials: environment variable NOT_SET is not set\n"
    assert said(["plan", "prod.yaml"], capsys) == (ExitCode.SCOPE_UNUSABLE, "", told)


@pytest.mark.parametrize("words", [[], ["--quiet"]])
def test_the_instant_of_until_is_in_the_log(
    words: list[str], plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan.write_text(PLAN + "auth: {token_env: NOT_SET}\n", encoding="utf-8")
    log = tmp_path / "run.log"
    said(["run", "prod.yaml", "--until", "2099-01-01T05:00:00+08:00", "--log-file", str(log), *words], capsys)
    first = json.loads(log.read_text(encoding="utf-8").splitlines()[0])
    assert (first["event"], first["starts_until"]) == ("session.bounded", "2098-12-31T21:00:00Z")
