"""What is known as a secret is in no text, in whatever form; and what only looks like one stays."""

import html
import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.cloud.reading.answer import Answer
from orchestrator.cloud.secrets import registry
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.cloud.secrets.secret import Secret
from orchestrator.cloud.secrets.secret_forms import folded
from orchestrator.model.reply.reply import Entry, Exchange, Refused

TOKEN = "MIIS" + "".join(f"{number:x}/{number:x}+" for number in range(1000, 1500)) + "=="
WORKFLOW = "375ac6a4-7f52-4d1b-9f3e-0a1b2c3d4e5f"


def known(*values: str) -> Secrets:
    secrets = Secrets()
    for value in values:
        secrets.learn(value, Secret(value))
    return secrets


@pytest.mark.parametrize("secret", [TOKEN, 'p4ss "phrase" \\ wörds/x', "hunter2-hunter2"])
@pytest.mark.parametrize(
    "written",
    [
        str,
        lambda text: json.dumps(text)[1:-1],
        lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
        lambda text: text.replace("/", "\\/"),
        quote,
        quote_plus,
        lambda text: quote(text, safe=""),
        lambda text: text[:40],
        lambda text: text[-40:],
    ],
)
def test_a_secret_is_hidden_in_every_form(secret: str, written: Any) -> None:
    shown = written(secret)
    hidden = known(secret).hide(f"before {shown} after")
    assert hidden.startswith("before ***")
    assert hidden.endswith("*** after")
    assert not any(shown[at : at + 8] in hidden for at in range(len(shown) - 7))


def _percent(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def _backslash_x(text: str) -> str:
    return "".join(f"\\x{byte:02X}" for byte in text.encode())


def _backslash_u(text: str) -> str:
    units = text.encode("utf-16-be")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04X}" for at in range(0, len(units), 2))


def _entities(text: str) -> str:
    return "".join(f"&#{ord(character)};" for character in text)


CODES: list[Callable[[str], str]] = [
    str,
    lambda text: "".join(each.swapcase() if each.isascii() else each for each in text),
    lambda text: text.encode().hex(),
    lambda text: text.encode().hex().upper(),
    lambda text: text.encode().hex(":"),
    lambda text: text.replace(" ", "+"),
]
ESCAPES: list[Callable[[str], str]] = [
    str,
    quote,
    quote_plus,
    lambda text: quote(text, safe="!'()*").lower(),
    _percent,
    _backslash_x,
    _backslash_u,
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1].replace("/", "\\/"),
    html.escape,
    _entities,
]


@given(
    secret=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=8, max_size=60),
    code=st.sampled_from(CODES),
    escapes=st.lists(st.sampled_from(ESCAPES), max_size=2),
)
def test_no_code_case_or_escape_shows_a_secret(
    secret: str, code: Callable[[str], str], escapes: list[Callable[[str], str]]
) -> None:
    """Also when it is escaped twice, as an address in JSON. Nothing beside it is hidden."""
    written = code(secret)
    for escape in escapes:
        written = escape(written)
    assert known(secret).hide(f"<{written}>") == "<***>"


@given(before=st.binary(max_size=4), secret=st.binary(min_size=12, max_size=60), after=st.binary(max_size=4))
def test_no_base64_shows_more_than_the_ends_of_a_secret(before: bytes, secret: bytes, after: bytes) -> None:
    text = secret.decode("latin-1")
    written = b64encode(before + text.encode() + after).decode()
    hidden = known(text).hide(written)
    shown = hidden.partition("***")
    assert len(shown[0]) <= len(before) * 4 / 3 + 2
    assert len(shown[2]) <= len(after) * 4 / 3 + 4


@pytest.mark.parametrize("user", ["u", "us", "use", "a-user"])
def test_a_password_is_hidden_in_basic_authentication(user: str) -> None:
    password = "hunter2-hunter2-hunter2"
    header = b64encode(f"{user}:{password}".encode()).decode()
    hidden = known(password).hide(f"Proxy-Authorization: Basic {header}")
    shown = hidden.partition("Basic ")[2].partition("***")
    assert shown[1]
    assert len(shown[0]) <= -(-(len(user) + 1) * 4 // 3) + 1
    assert len(shown[2]) <= 3


@pytest.mark.parametrize(
    ("secret", "text", "hidden"),
    [
        ("pw", "the pw is pw", "the pw is pw"),
        ("pass", "password: pass, bypass", "password: ***, bypass"),
        ("secret", "a secretive word", "a ***ive word"),
        ("seven77", "seven77seven77", "***"),
        ("abcdefgh", "abcdefg", "abcdefg"),
        ("abcdefghi", "xabcdefghx", "x***x"),
        ("aaaaaaaaaa", "baaaaaaaab", "b***b"),
        ("abcdefghij", "abcdef efghij", "abcdef efghij"),
        ("abcdefghij", "abcdefabcdefghij", "abcdef***"),
    ],
)
def test_short_secrets_and_pieces(secret: str, text: str, hidden: str) -> None:
    assert known(secret).hide(text) == hidden


def test_a_signature_is_hidden() -> None:
    said = "SDK-HMAC-SHA256 Access=x, SignedHeaders=host, Signature=0123abcdef"
    assert Secrets().hide(said).endswith("Signature=***")


def test_nothing_known_changes_nothing() -> None:
    text = "any text at all"
    assert Secrets().hide(text) is text


def test_the_id_of_a_workflow_is_never_lost_to_a_secret_that_resembles_it() -> None:
    entry = Entry(workflow_id=WORKFLOW, error_message=f"see {WORKFLOW}")
    found = known(WORKFLOW[:18], WORKFLOW + "-and-more").mask(entry)
    assert found.workflow_id == WORKFLOW
    assert found.error_message == "see ***"
    assert known(WORKFLOW).mask(entry).workflow_id == "***"


def test_the_last_credentials_of_an_owner_are_hidden_and_older_ones_forgotten() -> None:
    secrets = Secrets()
    for number in range(4):
        secrets.learn("owner", Secret(f"token-number-{number}{number}{number}{number}"))
    assert secrets.hide("0000 token-number-3333, token-number-1111") == "0000 ***, ***"
    assert secrets.hide("r-0000") == "r-0000"
    secrets.learn("other", Secret("quite-another"))
    assert secrets.hide("quite-another token-number-2222") == "*** ***"


def test_a_secret_that_is_learned_later_is_hidden_where_it_was_shown_before() -> None:
    secrets = known("hunter2-hunter2")
    assert secrets.hide("it is swordfish-swordfish") == "it is swordfish-swordfish"
    secrets.learn("another", Secret("swordfish-swordfish"))
    assert secrets.hide("it is swordfish-swordfish") == "it is ***"


def test_a_text_that_comes_again_and_again_is_searched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets, searched = known(TOKEN), list[str]()

    def counted(text: str) -> str:
        searched.append(text)
        return folded(text)

    monkeypatch.setattr(registry, "folded", counted)
    for number in range(100):
        assert secrets.hide("2.24.03.000") == "2.24.03.000"
        assert secrets.hide(f"request {number}") == f"request {number}"
    assert len(searched) == 101


def test_an_answer_is_searched_before_it_is_cut() -> None:
    answer = Answer(502, {"X-Request-Id": TOKEN}, f"<p>{TOKEN}</p>".encode() + b"\xff", None)  # type: ignore[arg-type]
    found = known(TOKEN).searched(answer)
    assert (found.headers["x-request-id"], found.body) == ("***", "<p>***</p>\N{REPLACEMENT CHARACTER}".encode())


def test_every_string_of_a_reply_is_masked() -> None:
    said = f"no: {TOKEN}"
    reply = Refused(said, Exchange(request_id=said, error_code=said, error_msg=said))
    assert TOKEN[:8] not in repr(known(TOKEN).mask(reply))


def test_a_text_made_of_pieces_costs_no_more_than_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    class Counting(set[str]):
        def __contains__(self, piece: object) -> bool:
            looked.append(1)
            return super().__contains__(piece)

    looked: list[int] = []
    secrets = known(TOKEN)
    monkeypatch.setattr(secrets, "_pieces", Counting(secrets._pieces))
    text = (TOKEN[:7] + "#") * 1000
    assert secrets.hide(text) == text
    assert 0 < len(looked) <= len(text)
