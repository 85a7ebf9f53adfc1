"""What is shown of the line that a message is about, and what is not."""

from pathlib import Path

import pytest

from orchestrator.cli.snippet import marked, snippet

SECRET = "MIIEowIBAAKCAQEA"


def _below(tmp_path: Path, text: str, place: str, words: str = "auto: unknown key") -> list[str]:
    plan = tmp_path / "night: a.yaml"
    plan.write_text(text, encoding="utf-8")
    return list(snippet(f"{plan}:{place}: {words}"))


def test_the_word_is_marked_and_what_follows_is_left_out(tmp_path: Path) -> None:
    assert _below(tmp_path, "a: 1\nlimits: {in_fligth: 3, rate: x}\n", "2:10") == [
        "  2 | limits: {in_fligth …",
        "    |          ^^^^^^^^^",
    ]
    assert _below(tmp_path, "auth:\n  proxies:\n", "2:3", "auth.proxies: unknown key here") == [
        "  2 |   proxies:",
        "    |   ^^^^^^^",
    ]


def test_the_mark_stands_below_the_word_also_behind_chinese_characters() -> None:
    line, mark = marked("labels: {名称: 账单, 限: 3}", 7, 18)
    assert line == "  7 | labels: {名称: 账单, 限 …"
    assert mark == "    | " + " " * 21 + "^^"


def test_a_long_line_is_shown_from_near_the_place() -> None:
    line, mark = marked(" " * 300 + "x: 1", 1, 301)
    assert len(line) < 80
    assert line.index("x") == mark.index("^")


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (f"auth: {SECRET}\n", "1:7", "auth: expected keys such as token_env, got text"),
        (f"scopes: {{a: {{auth: {{token_env: {SECRET}}}}}}}\n", "1:31", "scopes.a.auth.token_env: expected a name"),
        (f"auth: {{token_env: {SECRET}, proxies: 1}}\n", "1:37", "auth.proxies: unknown key here"),
        (f"follow: {{password: {SECRET}}}\n", "1:10", "follow.password: a plan holds no secrets"),
        (f"Token : {SECRET}: x\n", "1:9", "not readable as YAML: mapping values are not allowed"),
    ],
)
def test_nothing_is_shown_where_a_secret_may_be(text: str, place: str, words: str, tmp_path: Path) -> None:
    assert _below(tmp_path, text, place, words) == []


@pytest.mark.parametrize("place", ["3:1", "1:90", "0:1"])
def test_a_place_that_is_not_there_any_more_shows_nothing(place: str, tmp_path: Path) -> None:
    assert _below(tmp_path, "a: 1\n", place) == []
    assert list(snippet(f"{tmp_path}/nowhere.yaml:1:1: name: is required")) == []
    assert list(snippet("orchestrator: the fleet is locked")) == []
