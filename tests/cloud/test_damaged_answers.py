"""Nothing is concluded from an id, a version or a state of which a character is damaged."""

import json
from typing import Any

import pytest

from orchestrator.cloud.reading import decode
from orchestrator.cloud.reading.decode import NotUnderstood
from orchestrator.cloud.reading.error_body import read_error
from orchestrator.cloud.reading.json_body import read_body
from orchestrator.model.reply.reply import DAMAGED, Entry, Job
from orchestrator.planner.targets.instance_row import tags_of, text_of

INSTANCE = "11112222333344445555666677778888in07"
PROXY = "aaaabbbbccccddddeeeeffff00001111po01"
WORKFLOW = "375ac6a4-0000-4000-8000-000000000001"


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_the_first_bytes_tell_the_encoding(coding: str) -> None:
    assert read_body(json.dumps({"a": "é\N{GRINNING FACE}"}, ensure_ascii=False).encode(coding)) == {
        "a": "é\N{GRINNING FACE}"
    }


def test_an_error_in_utf16_is_read() -> None:
    said = {"error_code": "DBS.1", "error_msg": "nein, schön"}
    assert read_error(json.dumps(said).encode("utf-16")).message == "nein, schön"
    assert read_error("<p>nein, schön</p>".encode("utf-16")).excerpt == "nein, schön"


def test_an_id_that_is_damaged_is_none() -> None:
    row = b'{"state":"ACCEPT","workflow_id":"375a\xff6a4","instance_id":"\xff"%b}'
    assert decode.upgrade_entries(b'{"update_result":[%b]}' % (row % b"")) == (Entry(state="ACCEPT"),)
    both = row % b',"job_id":"375ac6a4"'
    assert decode.upgrade_entries(b'{"update_result":[%b]}' % both) == (Entry(state="ACCEPT", workflow_id="375ac6a4"),)
    (job,) = decode.job_page(rb'{"jobs":[{"job_id":"a\ud800","job_name":"x","status":"Running"}]}').jobs
    assert job == Job(job_id="", name="x", status="Running")
    assert text_of({"id": f"a{DAMAGED}"}, "id") is None
    assert tags_of({"tags": [{"key": "env", "value": f"pr{DAMAGED}d"}]}) is None


def test_a_job_keeps_its_state_beside_words_that_were_repaired() -> None:
    job = decode.job(b'{"job":{"id":"w","status":"Failed","fail_reason":"caf\xe9","instance_id":"\xe9"}}', "w")
    assert job == Job(job_id="w", status="Failed", fail_reason=f"caf{DAMAGED}")


@pytest.mark.parametrize(
    ("read", "body"),
    [
        (decode.job_page, b'{"jobs":[{"job_id":"a","instance_id":"1111\xff"}],"total_count":1}'),
        (decode.proxy_version, b'{"current_version":"2.24.0\xff"}'),
        (lambda body: decode.proxy_health(body, PROXY), b'{"proxy_list":[{"pool_id":"aaaab\xff"}]}'),
        (
            lambda body: decode.proxy_health(body, PROXY),
            b'{"proxy_list":[{"pool_id":"%b","status":"ACTIV\xff"}]}' % PROXY.encode(),
        ),
    ],
)
def test_absence_is_not_claimed_from_a_list_whose_ids_cannot_be_read(read: Any, body: bytes) -> None:
    with pytest.raises(NotUnderstood, match=r"cannot be read|can be read"):
        read(body)
