"""The grammar: options before or after the verb, typed values, errors that exit with 2."""

from pathlib import Path

import pytest

from orchestrator.cli.grammar.parser import parse
from orchestrator.cli.grammar.values import OUTCOMES
from orchestrator.cli.grammar.words import FLAGS
from orchestrator.cli.main import main
from orchestrator.model.record.outcome import Outcome


def test_common_options_stand_before_or_after_the_verb() -> None:
    for line in (["--state", "s", "--quiet", "run", "p.yaml"], ["run", "p.yaml", "--state", "s", "--quiet"]):
        options = parse(line)
        assert (options.verb, options.plan, options.state, options.quiet) == ("run", Path("p.yaml"), Path("s"), True)


def test_options_of_a_verb_stand_before_it_too() -> None:
    line = ["--format", "json", "--quiet", "--set=limits.rate=1/s", "plan", "p.yaml", "--offline"]
    options = parse(line)
    assert (options.verb, options.plan, options.format, options.quiet) == ("plan", Path("p.yaml"), "json", True)
    assert options.offline
    assert options.overrides == {"limits.rate": "1/s"}


def test_what_stands_before_the_verb_is_known_to_take_a_value_or_not() -> None:
    assert {"--quiet", "--new", "--dry-run"} <= FLAGS
    assert parse(["--watch", "status", "p.yaml"]).verb == "status"
    of_others = {"--dry-run", "--offline", "--forecast", "--watch", "--raw", "--print", "--reset", "--once"}
    for flag in FLAGS - of_others:
        assert parse([flag, "run", "p.yaml"]).verb == "run"
    assert parse(["--note", "hold", "hold", "p.yaml"]).note == "hold"


def test_options_stand_between_the_words_of_a_verb() -> None:
    for line in (["status", "p.yaml", "--state", "s", "x"], ["status", "--state", "s", "p.yaml", "--quiet", "x"]):
        options = parse(line)
        assert (options.plan, options.state, options.proxy_id) == (Path("p.yaml"), Path("s"), "x")
    assert parse(["release", "p.yaml", "--note", "n", "canary"]).wave == "canary"


def test_the_later_place_wins() -> None:
    assert parse(["--state", "a", "status", "p.yaml", "--state", "b"]).state == Path("b")


def test_defaults_are_those_of_the_contract() -> None:
    options = parse(["run", "p.yaml"])
    assert (options.wait, options.seed, options.speed, options.faults) == ("1h", 1, 60.0, "light")
    assert parse(["simulate"]).speed == 1.0
    assert parse(["simulate"]).faults == "none"


def test_overrides_are_keys_and_values() -> None:
    options = parse(["run", "p.yaml", "--set", "limits.in_flight=5", "--set", "follow.poll=1s"])
    assert options.overrides == {"limits.in_flight": "5", "follow.poll": "1s"}


def test_outcomes_of_the_parser_are_those_of_the_model() -> None:
    assert tuple(outcome.value for outcome in Outcome) == OUTCOMES
    assert parse(["run", "p.yaml", "--only-outcome", "failed,rejected"]).only_outcome == frozenset(
        {"failed", "rejected"}
    )


@pytest.mark.parametrize(
    "line",
    [
        [],
        ["fly"],
        ["run"],
        ["run", "p.yaml", "--set", "novalue"],
        ["run", "p.yaml", "--only-outcome", "exploded"],
        ["run", "p.yaml", "--speed", "0"],
        ["run", "p.yaml", "--speed", "\uff15"],
        ["run", "p.yaml", "--speed", "1_0"],
        ["hold", "p.yaml"],
        ["settle", "p.yaml", "x", "--note", "n"],
        ["schema", "journal"],
        ["report", "p.yaml", "--format", "xml"],
        ["run", "p.yaml", "--offline"],
        ["run", "p.yaml", "--forecast"],
        ["run", "p.yaml", "--format", "json"],
        ["run", "p.yaml", "--seed", "2"],
        ["plan", "p.yaml", "--faults", "none"],
        ["hold", "p.yaml", "--note", " "],
        ["--offline"],
        ["--state"],
    ],
)
def test_a_wrong_command_line_exits_with_2_and_a_hint(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        parse(line)
    assert exit_.value.code == 2
    assert "hint:" in capsys.readouterr().err


def test_success_codes_are_exit_codes_that_a_launcher_may_take_for_0() -> None:
    assert parse(["run", "prod.yaml", "--success-codes", "4,5"]).success_codes == {4, 5}
    assert parse(["run", "prod.yaml"]).success_codes == frozenset()


@pytest.mark.parametrize("codes", ["0", "2", "70", "9", "five", "", "4,", "4 5"])
def test_other_success_codes_are_refused(codes: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["run", "prod.yaml", "--success-codes", codes])
    assert ended.value.code == 2
    assert "--success-codes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "verb"), [("apply", "run"), ("resume", "release"), ("ls", "status"), ("pause", "hold")]
)
def test_a_verb_of_another_program_gets_the_one_of_this(
    word: str, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([word, "p.yaml"]) == 2
    assert f"did you mean {verb}?" in capsys.readouterr().err
