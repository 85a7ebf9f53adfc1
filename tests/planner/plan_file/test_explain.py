"""A key is explained by the declaration that reads it."""

import pytest

from orchestrator.errors import UsageError
from orchestrator.planner.plan_file.explain import explain, keys
from orchestrator.planner.plan_file.schema import PLAN


def about(key: str) -> str:
    return "\n".join(explain(key))


@pytest.mark.parametrize("path", sorted(keys()), ids=".".join)
def test_every_key_of_a_plan_is_explained(path: tuple[str, ...]) -> None:
    first, takes, default, *_ = explain(".".join(path))
    assert first.startswith(".".join(path) + ": ")
    assert takes.removeprefix("  takes").strip()
    assert default.startswith("  default ")


def test_a_key_says_what_it_takes_its_default_and_an_example() -> None:
    assert about("limits.in_flight").splitlines()[1:] == [
        "  takes    a number such as 10, or a percentage such as 10%",
        "  default  10",
    ]
    assert "  example  size: 10%" in about("waves.size").splitlines()
    assert "  default  none: the key is required" in about("target_version").splitlines()


def test_a_part_of_a_plan_lists_its_keys() -> None:
    lines = about("failures").splitlines()
    assert any(line.startswith("    max_rejected ") for line in lines)
    assert sum(line.startswith("    ") for line in lines) == sum(path[:-1] == ("failures",) for path in keys())


def test_without_a_key_the_top_level_is_listed() -> None:
    assert [line.split()[0] for line in explain(None)] == [field.key for field in PLAN.fields]


@pytest.mark.parametrize("written", ["waves[0].size", "waves[].size", "waves.0.size", "waves.size"])
def test_a_place_in_a_list_is_taken_as_messages_write_it(written: str) -> None:
    assert about(written) == about("waves.size")


def test_a_name_that_the_plan_chooses_may_be_any() -> None:
    assert about("scopes.north.auth.token_env").startswith("scopes.north.auth.token_env: ")


@pytest.mark.parametrize(
    ("written", "guess"),
    [
        ("in_flight", "limits.in_flight"),
        ("limit.inflight", "limits.in_flight"),
        ("limits.in_flight.more", None),
        ("scopes.north.waves.size", "waves.size"),
        ("[0]", None),
        ("\x1b[31mred", None),
    ],
)
def test_an_unknown_key_is_answered_with_a_guess(written: str, guess: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        list(explain(written))
    assert "a plan has no such key" in str(caught.value)
    assert "\x1b" not in str(caught.value)
    if guess is not None:
        assert f"did you mean {guess}" in str(caught.value)
