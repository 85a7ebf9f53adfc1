import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.cloud.reading.answer import Answer, cloud_offset_s
from orchestrator.cloud.reading.classify import classify
from orchestrator.cloud.reading.codes import MEANINGS, Meaning
from orchestrator.model.reply.reply import Busy, Doubtful, Quota, Refused, Throttled, Unauthenticated

NOW = datetime(2026, 8, 6, 12, tzinfo=UTC)


def judged(status: int, body: Any = b"", **headers: Any) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return classify(Answer(status, named, raw, NOW), generation=7)


def coded(status: int, code: str, message: str = "words", **headers: Any) -> Any:
    return judged(status, {"error_code": code, "error_msg": message}, **headers)


KIND = {
    Meaning.REFUSED: Refused,
    Meaning.BUSY: Busy,
    Meaning.THROTTLED: Throttled,
    Meaning.CREDENTIALS: Unauthenticated,
    Meaning.LOGIN: Unauthenticated,
    Meaning.SERVER: Doubtful,
}


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
def test_under_4xx_a_known_code_decides_before_the_status(status: int) -> None:
    assert {code: type(coded(status, code)) for code in MEANINGS} == {
        code: KIND[meaning] for code, meaning in MEANINGS.items()
    }


@pytest.mark.parametrize("status", [200, 202, 408, 500, 502, 503, 504])
def test_elsewhere_only_throttling_and_refused_credentials_decide(status: int) -> None:
    decide = (Meaning.THROTTLED, Meaning.CREDENTIALS)
    assert {code: type(coded(status, code)) for code in MEANINGS} == {
        code: KIND[meaning] if meaning in decide else Doubtful for code, meaning in MEANINGS.items()
    }


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (409, "DBS.99999", Busy),
        (409, "NEW.1", Refused),
        (400, "DBS.05009999", Refused),
        (403, "DBS.05009999", Refused),
        (404, "DBS.05009999", Refused),
        (410, "DBS.05009999", Refused),
        (401, "DBS.05009999", Unauthenticated),
        (401, "APIGW.0303", Unauthenticated),
        (401, "IAM.9999", Unauthenticated),
        (429, "DBS.05009999", Throttled),
        (429, "APIGW.9999", Throttled),
        (403, "DBS.280056", Unauthenticated),
        (403, "APIG.0302", Refused),
        (400, "APIG.0301", Unauthenticated),
        (500, "apig.0308", Throttled),
        (503, "DBS.280056", Unauthenticated),
        (503, "APIGW.0613", Doubtful),
        (413, "APIGW.0201", Refused),
        (504, "APIGW.0201", Doubtful),
        (302, "", Refused),
        (418, "", Refused),
        (401, "", Unauthenticated),
        (429, "", Throttled),
        (408, "", Doubtful),
        (500, "", Doubtful),
        (204, "", Doubtful),
    ],
)
def test_unknown_codes_and_bare_statuses(status: int, code: str, kind: Any) -> None:
    assert type(coded(status, code)) is kind


@pytest.mark.parametrize(
    ("status", "code", "not_found", "already_latest"),
    [
        (400, "DBS.270024", True, False),
        (400, "DBS.200543", True, False),
        (404, "DBS.200002", True, False),
        (400, "DBS.201028", True, False),
        (404, "DBS.777", True, False),
        (404, "APIGW.0101", False, False),
        (404, "", False, False),
        (403, "DBS.201003", False, False),
        (400, "DBS.05000008", False, True),
    ],
)
def test_flags(status: int, code: str, *, not_found: bool, already_latest: bool) -> None:
    failure = coded(status, code)
    assert isinstance(failure, Refused)
    assert (failure.not_found, failure.already_latest) == (not_found, already_latest)


@pytest.mark.parametrize(
    "body",
    [
        {"error_code": "DBS.200019", "error_msg": "busy now"},
        {"errCode": "DBS.200019", "errMsg": "busy now"},
        {"errorCode": "DBS.200019", "errorMsg": "busy now"},
        {"code": "DBS.200019", "message": "busy now"},
        {"error": {"error_code": "DBS.200019", "error_msg": "busy now"}},
        {"anything": {"code": " dbs.200019 ", "message": "busy now"}, "n": 1},
        {"error_msg": "busy now", "error_code": "DBS.200019", "request_id": "r", "encoded_authorization_message": "x"},
    ],
)
def test_error_bodies_in_all_shapes(body: Any) -> None:
    failure = judged(409, body)
    assert isinstance(failure, Busy)
    assert failure.reason == failure.exchange.error_msg == "busy now"
    assert (failure.exchange.error_code or "").strip().upper() == "DBS.200019"


@pytest.mark.parametrize(
    ("text", "quota"),
    [
        (
            "The throttling threshold has been reached: policy user over ratelimit,limit:5,time:1 minute",
            Quota(5, 60.0),
        ),
        ("Too many requests: 300 times per 2 seconds.", Quota(300, 2.0)),
        ("policy ip over ratelimit, limit: 20, time: 1 hour", Quota(20, 3600.0)),
        ("limit:0,time:1 minute", None),
        ("limit:5", None),
        ("The throttling threshold has been reached", None),
    ],
)
def test_the_limit_that_a_refusal_names(text: str, quota: Quota | None) -> None:
    failure = judged(429, {"error_code": "APIGW.0308", "error_msg": text})
    assert isinstance(failure, Throttled)
    assert failure.quota == quota
    header = coded(429, "APIGW.0308", text, Retry_After="9")
    assert isinstance(header, Throttled)
    assert header.quota is None, "what the header asks for is waited for as it is"


def test_iam_body() -> None:
    failure = judged(401, {"error": {"code": 401, "message": "The username or password is wrong.", "title": "x"}})
    assert isinstance(failure, Unauthenticated)
    assert failure.reason == "The username or password is wrong."
    assert failure.exchange.error_code == "401"
    assert failure.generation == 7


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html><head><style>a{}</style></head>\n<h1>502 Bad\x00 Gateway</h1></html>", "HTTP 502: 502 Bad Gateway"),
        (b"", "HTTP 502 without a message"),
        (b"{}", "HTTP 502 without a message"),
        (b"[1, 2]", "HTTP 502: [1, 2]"),
        (b"\xff\xfd", "HTTP 502: \ufffd\ufffd"),
        (b"null", "HTTP 502: null"),
    ],
)
def test_bodies_that_are_no_error_of_the_api(body: Any, reason: Any) -> None:
    failure = judged(502, body)
    assert isinstance(failure, Doubtful)
    assert failure.reason == reason


def test_a_long_page_is_cut() -> None:
    assert len(judged(502, b"word " * 100_000).reason) < 200


def test_a_redirect_says_where_to() -> None:
    failure = judged(302, b"", Location="https://login.example/?token=abc")
    assert isinstance(failure, Refused)
    assert "https://login.example/" in failure.reason
    assert "abc" not in failure.reason


@pytest.mark.parametrize(
    ("header", "text", "wait_s"),
    [
        ("7", "", 7.0),
        (" 0.5 ", "", 0.5),
        ("-3", "", None),
        ("nan", "limit:5,time:1 minute", 60.0),
        ("Thu, 06 Aug 2026 12:00:30 GMT", "", 30.0),
        ("Thu, 06 Aug 2026 11:00:00 GMT", "", None),
        ("soon", "", None),
        (None, "The throttling threshold has been reached: policy user over ratelimit,limit:5,time:1 minute", 60.0),
        (None, "policy ip over ratelimit,limit:5,time:30 second", 30.0),
        (None, "limit:5, time: 2 hours", 7200.0),
        (None, "request 10 times per 3 seconds", 3.0),
        (None, "10 times per minute", 60.0),
        (None, "slow down", None),
        ("9", "limit:5,time:1 minute", 9.0),
    ],
)
def test_how_long_to_wait(header: str | None, text: str, wait_s: float | None) -> None:
    headers = {} if header is None else {"Retry_After": header}
    failure = coded(429, "APIGW.0308", text, **headers)
    assert isinstance(failure, Throttled)
    assert failure.retry_after_s == wait_s


def test_a_date_to_wait_for_is_measured_by_the_clouds_own_clock() -> None:
    failure = judged(429, b"", Retry_After="Thu, 06 Aug 2026 13:00:30 GMT", Date="Thu, 06 Aug 2026 13:00:00 GMT")
    assert failure.retry_after_s == 30.0
    assert failure.exchange.cloud_offset_s == 3600.0


@pytest.mark.parametrize(("date", "named"), [("11:44:00", True), ("12:16:00", True), ("11:46:00", False)])
def test_skew_is_named_beyond_15_minutes(date: str, *, named: bool) -> None:
    failure = coded(401, "APIGW.0301", Date=f"Thu, 06 Aug 2026 {date} GMT")
    assert ("clock" in failure.reason) is named


def test_request_ids() -> None:
    assert judged(500, {"request_id": "b", "error_code": "x"}).exchange.request_id == "b"
    assert judged(500, {"request_id": "b", "error_code": "x"}, X_Request_Id="h").exchange.request_id == "h"
    assert judged(500, b"", X_IAM_Trace_Id="t").exchange.request_id == "t"


@pytest.mark.parametrize("date", [None, "", "yesterday", "Thu, 99 Aug 2026 12:00:00 GMT"])
def test_an_unreadable_date_is_no_offset(date: str | None) -> None:
    assert cloud_offset_s(date, NOW) is None


@given(st.integers(200, 599), st.binary(max_size=300))
def test_anything_is_classified(status: int, body: Any) -> None:
    failure = judged(status, body)
    if status >= 500 and b"0308" not in body:
        assert isinstance(failure, Doubtful)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "error_code", "error_msg", "code", "message", "x"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)


@given(st.sampled_from([200, 302, 400, 401, 409, 429, 500]), json_values)
def test_any_json_is_classified(status: int, body: Any) -> None:
    judged(status, body)
