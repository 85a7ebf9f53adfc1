"""Some trials with fixed seeds keep every promise; `make fuzz` plays as many as there is time for."""

import pytest
from fuzz import inputs
from fuzz.broken import BROKEN, found_at
from fuzz.runner import story, try_one

SEED = 1


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 40, 10))
def test_hostile_answers_clocks_and_exceptions_break_no_promise(first: int) -> None:
    found = [each for index in range(first, first + 10) if (each := try_one(SEED, index))]

    assert not found, "\n".join(line for each in found for line in story(each))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 60, 30))
def test_odd_inputs_end_with_words_and_an_exit_code(first: int) -> None:
    told = [words for index in range(first, first + 30) if (words := inputs.try_one(SEED, index))]

    assert not told, "\n".join(told)


#: Quick ones; `make fuzz-proof` takes out all.
QUICK = (
    "one record that cannot be written",
    "JSON of any depth",
    "what the cloud quotes",
    "an answer is held against its question",
    "a connection for each upgrade",
    "an exception in one story",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_a_protection_that_is_taken_out_is_found_missing(name: str) -> None:
    assert found_at(BROKEN[name]) is not None


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_taken_out_is_there(name: str) -> None:
    with BROKEN[name].without():
        pass
