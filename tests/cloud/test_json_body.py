"""Damaged characters in an answer cost nothing but themselves."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.cloud.reading import decode
from orchestrator.cloud.reading.answer import Answer
from orchestrator.cloud.reading.classify import classify
from orchestrator.cloud.reading.error_body import read_error
from orchestrator.cloud.reading.json_body import in_utf8, read_body
from orchestrator.model.reply.foreign import Unreadable
from orchestrator.model.reply.reply import DAMAGED, Answered, Entry, Refused

WORKFLOW = "0b0c1d2e-1111-4222-8333-444455556666"
TARGET = ("517ea793ab91438cbfcd9c4b1c958b1ein07", "0f46fc46396e4fb19a0cb52f578e9511po01", "2.1.0", "2.2.0")

#: What may stand in a text, and what is read of it.
TEXTS = {
    b"caf\xe9!": f"caf{DAMAGED}!",
    b"\xff": DAMAGED,
    b"\xed\xa0\x80": DAMAGED * 3,
    b"\\ud800": DAMAGED,
    b"\\ud800 and more": f"{DAMAGED} and more",
    b"\\udc00\\ud83d\\ude00": f"{DAMAGED}😀",
    b"\\ud800\\u0041": f"{DAMAGED}A",
    b"\\\\ud800": "\\ud800",
    b"two\nlines\tand\x00nothing\xff": f"two\nlines\tand\x00nothing{DAMAGED}",
    b"C:\\query \\u12": f"C:{DAMAGED}query {DAMAGED}u12",
    b'\\"\xff\\"': f'"{DAMAGED}"',
}


def answer(message: bytes, state: bytes = b"ACCEPT", workflow: bytes = WORKFLOW.encode()) -> bytes:
    row = b'{"instance_id": "%b", "workflow_id": "%b", "state": "%b", "error_message": "%b"}'
    return b'{"update_result": [' + row % (TARGET[0].encode(), workflow, state, message) + b"]}"


@pytest.mark.parametrize(("written", "read"), TEXTS.items())
@pytest.mark.parametrize("state", ["ACCEPT", "REJECT"])
def test_a_damaged_text_costs_neither_the_id_nor_the_verdict(written: bytes, read: str, state: str) -> None:
    entry = Entry(instance_id=TARGET[0], workflow_id=WORKFLOW, state=state, error_message=read)
    assert decode.upgrade_entries(answer(written, state.encode())) == (entry,)


@pytest.mark.parametrize("damage", [b"\xff", b"\\ud800", b"\xc3"])
def test_a_damaged_id_is_none(damage: bytes) -> None:
    (entry,) = decode.upgrade_entries(answer(b"", workflow=b"375a" + damage))
    assert entry.workflow_id is None
    assert entry.accepted


@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16", "utf-16be"])
def test_a_mark_of_the_byte_order_is_no_damage(coding: str) -> None:
    body = ("\ufeff" if coding == "utf-16be" else "") + json.dumps({"job": {"job_id": WORKFLOW, "name": "ü"}})
    job = decode.job(body.encode(coding), WORKFLOW)
    assert job is not None
    assert job.name == "ü"


@pytest.mark.parametrize(("written", "read"), TEXTS.items())
def test_a_refusal_in_damaged_words_is_a_refusal(written: bytes, read: str) -> None:
    body = b'{"error_code": "DBS.280001", "error_msg": "%b"}' % written
    said = read_error(body)
    assert (said.code, said.message) == ("DBS.280001", read.strip())
    assert isinstance(classify(Answer(400, {}, body, None)), Refused)  # type: ignore[arg-type]  # no time is asked for


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff", b'{"a": "\xff"', b"<html>\xff</html>", b'{"a": \xff}', b"[" * 99 + b"\xff"],
)
def test_what_is_no_json_stays_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read_body(body)


def test_the_words_say_what_is_wrong() -> None:
    with pytest.raises(decode.NotUnderstood, match=r"malformed|truncated"):
        decode.upgrade_entries(b'{"update_result": [{"error_message": "\\ud800')


@given(
    st.recursive(st.text() | st.integers() | st.none(), lambda each: st.lists(each) | st.dictionaries(st.text(), each))
)
def test_what_needs_no_repair_is_read_as_it_is(value: Any) -> None:
    assert read_body(json.dumps(value).encode()) == value
    assert read_body(json.dumps(value, ensure_ascii=False).encode("utf-8-sig")) == value


@given(st.text(max_size=20), st.binary(max_size=20))
def test_any_bytes_in_a_text_leave_the_rest_alone(text: str, damage: bytes) -> None:
    quoted = json.dumps(text, ensure_ascii=False)[1:-1].encode() + damage.replace(b'"', b"").replace(b"\\", b"")
    (entry,) = decode.upgrade_entries(answer(quoted))
    assert (entry.workflow_id, entry.state) == (WORKFLOW, "ACCEPT")


def test_a_named_character_set_is_read() -> None:
    said = json.dumps({"error_msg": "子网地址不足"}, ensure_ascii=False)
    assert in_utf8(said.encode("gbk"), "GBK").decode() == said
    assert in_utf8(b"\xff", "punycode") == b"\xff"
    for wrong in ("utf-16", "gbk", "big5"):
        assert in_utf8(said.encode(), wrong).decode() == said
    assert in_utf8(b"\xff", None) == b"\xff"


@pytest.mark.anyio
async def test_the_client_keeps_an_upgrade_whose_answer_has_a_damaged_text(raw_server: Any, connect: Any) -> None:
    body = answer("子网 \xff".encode("gbk", "replace") + b"\xff")
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with raw_server((head + body,)) as address, connect(address) as client:
        reply = await client.upgrade(*TARGET)
    assert isinstance(reply, Answered)
    assert reply.value[0].workflow_id == WORKFLOW


@pytest.mark.anyio
async def test_the_client_reads_an_answer_in_the_character_set_that_it_names(raw_server: Any, connect: Any) -> None:
    body = '{"error_code": "DBS.280001", "error_msg": "子网地址不足"}'.encode("gbk")
    kind = b"Content-Type: application/json; charset=GBK\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with raw_server((b"HTTP/1.1 400 Bad Request\r\n" + kind + body,)) as address, connect(address) as client:
        reply = await client.upgrade(*TARGET)
    assert isinstance(reply, Refused)
    assert reply.exchange.error_msg == "子网地址不足"
