"""The first look and the parser say the same; what is generated of the command line fits its grammar."""

import random
import sys
from collections.abc import Iterator
from itertools import product

import pytest
from words.generated import HELP, help_texts, tables

from orchestrator.cli.grammar import words
from orchestrator.cli.grammar.first_look import SaidAtOnce, first_look
from orchestrator.cli.grammar.parser import parse

#: A right line of each verb.
RIGHT = {
    "plan": ["p.yaml"],
    "run": ["p.yaml"],
    "status": ["p.yaml", "x"],
    "runs": ["p.yaml"],
    "report": ["p.yaml"],
    "hold": ["p.yaml", "--note", "n"],
    "release": ["p.yaml", "w", "--note", "n"],
    "limit": ["p.yaml", "in_flight=4", "--note", "n"],
    "settle": ["p.yaml", "x", "--note", "n", "--outcome", "failed"],
    "claim": ["p.yaml", "--from", "o.yaml"],
    "simulate": [],
    "explain": [],
    "schema": ["plan"],
}
#: Options with values, right and wrong, and words that mean nothing or much.
SPARE = [
    *("--ofline", "--dryrun", "--offline", "--dry-run", "--simulate", "--quiet", "--new", "--forecast", "--bogus=1"),
    *(
        "--format=json",
        "--format",
        "--format=xml",
        "--seed=1",
        "--seed=x",
        "--seed",
        "--speed=0",
        "--speed=-1",
        "--note",
    ),
    *("--note=", "--note= ", "--note=a b", "--set=a=1", "--set=a", "--set", "--only-outcome=failed,x", "--state=s"),
    *("--state", "--success-codes=4,5", "--success-codes=2", "--outcome=failed", "--outcome=lost", "--port=70000"),
    *("--log-level=loud", "--log-level=info", "--faults=none", "--from=x", "--proxies=1", "--run=r", "--version"),
    *("--help", "-h", "--help=1", "--quiet=1", "--off", "--for", "--log", "--no", "-1", "-q", "--", "-", "", "x", "y"),
    *("plan", "report", "caf\udce9", "--caf\udce9", "\x1b[2J", "-x y", "9" * 50, "--until=05:00", "--wait", "1h"),
]


def told(line: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str] | None:
    """What the parser says of a line, with its exit code; None when the line is right."""
    try:
        parse(line)
    except SystemExit as ended:
        out, err = capsys.readouterr()
        return int(ended.code or 0), out + err
    return None


def seen(answer: SaidAtOnce | None) -> tuple[int, str] | None:
    return None if answer is None else (answer.code, answer.text)


def lines() -> Iterator[list[str]]:
    """Lines of all kinds, most of them wrong in one way or another."""
    yield from ([], *([word] for word in SPARE), *([verb] for verb in RIGHT))
    for number, ((verb, rest), word) in enumerate(product(RIGHT.items(), SPARE)):
        forms = ([verb, *rest, word], [word, verb, *rest], [verb, word, *rest], [verb, word])
        yield from forms[number % 2 :: 2]
    chance = random.Random(7)
    for _ in range(500):
        verb = chance.choice([*RIGHT])
        line = [*RIGHT[verb], *chance.choices(SPARE, k=chance.randint(1, 4))]
        if chance.random() < 0.5:
            chance.shuffle(line)
        line.insert(chance.choice([0, 0, 0, chance.randrange(len(line) + 1)]), verb)
        yield line


def test_the_first_look_says_what_the_parser_says(capsys: pytest.CaptureFixture[str]) -> None:
    answered = 0
    for line in lines():
        if (answer := first_look(line)) is not None:
            assert seen(answer) == told(line, capsys), line
            answered += 1
    assert answered > 1000, "it leaves little to the parser"


@pytest.mark.parametrize("verb", RIGHT)
def test_a_right_line_is_left_to_the_parser(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    line = [verb, *RIGHT[verb]]
    assert first_look(line) is None
    assert told(line, capsys) is None


@pytest.mark.parametrize(
    "line",
    [
        "--help",
        "-h",
        "--version",
        "",
        "run --ofline",
        "run p.yaml --ofline",
        "stauts p.yaml",
        "--quiet run",
        "run p.yaml --help",
        "hold p.yaml",
        "run p.yaml --state",
        "run p.yaml --seed=1",
        "plan p.yaml --format jsn",
        "plan p.yaml --simulate --seed one",
        "schema bogus",
        "status a b c",
    ],
)
def test_the_first_look_answers_what_people_get_wrong(line: str) -> None:
    assert first_look(line.split()) is not None


def test_the_table_of_words_fits_the_grammar() -> None:
    kept = {name: getattr(words, name) for name in tables()}
    assert kept == tables(), "make words"


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="written with Python 3.11; later ones lay help out differently")
def test_the_texts_of_help_fit_the_grammar() -> None:
    assert {file.name: file.read_text(encoding="utf-8") for file in HELP.iterdir()} == help_texts(), "make words"
