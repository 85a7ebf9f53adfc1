"""What others wrote, on a terminal."""

import json

import pytest

from orchestrator.plain import plain, plain_json


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("subnet ip", "subnet ip"),
        ("Grüße, 子网", "Grüße, 子网"),
        ("two\nlines", "two\\nlines"),
        ("\x1b[2J\x07gone", "\\x1b[2J\\x07gone"),
        ("a\u2028b\x9bc", "a\\u2028b\\x9bc"),
        ("\u202egnp.exe\u2066\u200f", "\\u202egnp.exe\\u2066\\u200f"),
        ("half \udcff of it", "half \\xff of it"),
        ("10\xa0000", "10\xa0000"),
    ],
)
def test_control_characters_are_written_out(said: str, shown: str) -> None:
    assert plain(said) == shown


def test_json_keeps_its_meaning() -> None:
    text = json.dumps({"a": "\x9b\u202eé", "b": [1]}, ensure_ascii=False, indent=1)
    shown = plain_json(text)
    assert json.loads(shown) == json.loads(text)
    assert all(char.isprintable() or char == "\n" for char in shown)
    assert "é" in shown
