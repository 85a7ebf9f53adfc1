"""What cannot be written is escaped or left out, field by field; what can be written is not touched."""

from collections.abc import Iterable

import msgspec
import pytest
from fakes.recorded import BEGIN

from orchestrator.model.record.record import AnswerSeen, Intent, Record, ScopePaused, SessionStarted
from orchestrator.model.reply.reply import Entry
from orchestrator.model.written.writable import encoded, unwritable, writable

BYTE = b"\xff".decode("utf-8", "surrogateescape")
ENTRY = Entry(instance_id="i", workflow_id="wf-1", state="ACCEPT", error_message=BYTE)
decode = msgspec.json.Decoder(Record).decode


def answer(**fields: object) -> AnswerSeen:
    return AnswerSeen(at=BEGIN, target="p", attempt=1, verdict="accepted", **fields)  # type: ignore[arg-type]


ODD: Iterable[tuple[Record, list[str]]] = [
    (answer(request_id=BYTE), ["request_id"]),
    (answer(update_result=(ENTRY,), error_msg=BYTE), ["error_msg", "update_result"]),
    (answer(http_status=object(), request_id="r"), ["http_status"]),
    (answer(duration_ms=10**5000), ["duration_ms"]),
    (ScopePaused(at=BEGIN, scope="s", why=BYTE), ["why"]),
    (
        SessionStarted(at=BEGIN, number=1, pid=1, host=BYTE, orchestrator_version="0", changed={BYTE: BYTE}),
        ["host", "changed"],
    ),
]


@pytest.mark.parametrize(("record", "fields"), ODD, ids=[" ".join(fields) for _, fields in ODD])
def test_what_cannot_be_written_is_named_and_the_rest_stands(record: Record, fields: list[str]) -> None:
    line = encoded(record)
    read = decode(line)
    assert sorted(msgspec.json.decode(line)["unwritable"]) == sorted(fields)
    assert read == writable(record)
    for name in set(record.__struct_fields__) - set(fields):
        assert getattr(read, name) == getattr(record, name)


def test_the_workflow_id_beside_what_cannot_be_written_is_kept() -> None:
    (entry,) = writable(answer(update_result=(ENTRY,))).update_result
    assert entry == Entry(instance_id="i", workflow_id="wf-1", state="ACCEPT", error_message="\\udcff")


def test_what_can_be_written_is_not_touched() -> None:
    record = answer(request_id="r", update_result=())
    assert writable(record) is record
    assert unwritable(record) == []
    assert encoded(record) == msgspec.json.encode(record)


def test_what_no_record_is_without_is_refused_before_it_joins_the_others() -> None:
    intent = Intent(at=object(), target="p", wave="w", token="t", source_version="1", target_version="2")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="the field at"):
        writable(intent)
