"""Each verb's help shows commands, and each of them is one that this program understands."""

import shlex

import pytest

from orchestrator.cli.grammar.examples import EXAMPLES, examples_of
from orchestrator.cli.grammar.grammar import parser
from orchestrator.cli.grammar.parser import parse


def test_every_verb_has_examples() -> None:
    assert EXAMPLES.keys() == parser().verbs.choices.keys()


@pytest.mark.parametrize("verb", EXAMPLES)
def test_the_examples_of_a_verb_are_understood_and_are_in_its_help(verb: str) -> None:
    for command, _does in EXAMPLES[verb]:
        program, *words = shlex.split(command)
        assert program == "orchestrator"
        assert verb in {parse(words).verb, "simulate"}
    assert max(map(len, examples_of(verb).splitlines())) <= 80, "a terminal is so wide"
    assert parser().verbs.choices[verb].format_help().endswith(examples_of(verb))
