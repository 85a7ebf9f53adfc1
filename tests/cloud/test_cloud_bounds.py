"""What comes from the wire has bounds: whatever it holds, it is an answer, a doubt, or a wait that can be added up."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.cloud.reading import decode
from orchestrator.cloud.reading.answer import Answer, exchange_of, http_date
from orchestrator.cloud.reading.classify import classify
from orchestrator.cloud.reading.decode import MAX_ENTRIES, MAX_ROWS, NotUnderstood
from orchestrator.cloud.reading.error_body import excerpt
from orchestrator.cloud.reading.lenient import MAX_TEXT, instant, integer, text
from orchestrator.cloud.reading.pause import LONGEST_S, header_wait_s
from orchestrator.model.reply.reply import Answered, Doubtful, Exchange, Throttled

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 8, 6, 12, tzinfo=UTC)
NOW_S = NOW.timestamp()
INSTANCE = "11112222333344445555666677778888in07"
PROXY = "aaaabbbbccccddddeeeeffff00001111po01"
DEEP = b"[" * 1_100 + b"]" * 1_100

#: A value that no answer of this API has, in the place of any field.
POISON = [
    DEEP,
    b'{"a":' * 1_100 + b"1" + b"}" * 1_100,
    b"9" * 5_000,
    b"9" * 4_000,
    b"1e999",
    b'"9999-12-31T23:59:59-14:00"',
    b'"0001-01-01T00:00:00+14:00"',
    b"-99999999999999999",
    b'"' + b"x" * 500_000 + b'"',
    b'"\\u0000\\u001b[2J\\r"',
    b"[" + b"{}," * 100_000 + b"{}]",
    b"true",
    b"-1",
    b"null",
    b'""',
]

#: A field of an answer, and what reads that answer.
FIELDS: list[tuple[bytes, Any]] = [
    (b'{"update_result":%b}', decode.upgrade_entries),
    (b'{"update_result":[{"state":%b}]}', decode.upgrade_entries),
    (b'{"update_result":[{"workflow_id":%b}]}', decode.upgrade_entries),
    (b'{"update_result":[],"more":%b}', decode.upgrade_entries),
    (b'{"current_version":%b}', decode.proxy_version),
    (b'{"current_version":"1","can_upgrade":%b}', decode.proxy_version),
    (b'{"proxy_list":%b}', lambda body: decode.proxy_health(body, PROXY)),
    (b'{"proxy_list":[{"proxy":{"pool_id":%b,"nodes":%b}}]}', lambda body: decode.proxy_health(body, PROXY)),
    (b'{"job":%b}', lambda body: decode.job(body, "j")),
    (b'{"job":{"id":%b}}', lambda body: decode.job(body, "j")),
    (b'{"job":{"id":"j","created":%b,"ended":%b}}', lambda body: decode.job(body, "j")),
    (b'{"jobs":%b,"total_count":1}', decode.job_page),
    (b'{"jobs":[],"total_count":%b}', decode.job_page),
    (b'{"jobs":[{"job_id":"j","created_time":%b,"extend_fields":%b}]}', decode.job_page),
    (b'{"instances":%b}', decode.instances),
    (b'{"projects":%b}', decode.projects),
    (b'{"token":%b}', decode.iam_token),
    (b'{"token":{"expires_at":%b,"issued_at":%b}}', decode.iam_token),
    (b'{"exist":%b}', decode.scheduled_upgrade),
]


@pytest.mark.parametrize(("form", "read"), FIELDS, ids=[form.decode() for form, _ in FIELDS])
def test_whatever_stands_in_a_field_is_read_or_not_understood(form: bytes, read: Any) -> None:
    for poison in POISON:
        body = form.replace(b"%b", poison)
        try:
            read(body)
        except NotUnderstood as problem:
            assert len(str(problem)) < 1_000  # noqa: PT017 - both ways are right, a third one is not


@pytest.mark.parametrize("status", [200, 302, 400, 401, 429, 500])
def test_an_error_that_cannot_be_read_is_judged_by_its_status(status: int) -> None:
    plain = classify(Answer(status, {}, b"", NOW))
    for poison in POISON:
        for form in (b"%b", b'{"error_msg":%b}', b'{"error_code":%b}', b'{"error":{"code":%b}}'):
            failure = classify(Answer(status, {}, form.replace(b"%b", poison), NOW))
            assert type(failure) is type(plain)
            assert len(failure.exchange.error_msg or "") <= MAX_TEXT


async def test_an_upgrade_whose_answer_is_nested_too_deep_is_in_doubt(raw_server: Any, connect: Any) -> None:
    body = b'{"update_result":%b}' % DEEP
    said = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    async with raw_server((said,)) as address, connect(address) as client:
        reply = await client.upgrade(INSTANCE, PROXY, "1", "2")
    assert isinstance(reply, Doubtful)
    assert "nested more than 64 levels deep" in reply.reason


async def test_bytes_of_a_header_that_are_not_utf8_can_be_written_down(raw_server: Any, connect: Any) -> None:
    head = b"HTTP/1.1 200 OK\r\nX-Request-Id: \xff\xfe-%b\r\nDate: Fri, 31 Dec 9999 23:59:59 -1400\r\n" % (b"x" * 500)
    body = b'{"current_version":"1"}'
    said = b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)
    async with raw_server((said,)) as address, connect(address) as client:
        reply = await client.proxy_version(INSTANCE, PROXY)
    assert isinstance(reply, Answered)
    assert (reply.exchange.request_id or "").encode().startswith(rb"\udcff\udcfe-xxx")
    assert len(reply.exchange.request_id or "") == 128
    assert reply.exchange.cloud_offset_s is None


def test_lists_have_an_end() -> None:
    entries = json.dumps({"update_result": [{"state": "ACCEPT"}] * (MAX_ENTRIES + 1)}).encode()
    with pytest.raises(NotUnderstood, match="101 entries, more than 100"):
        decode.upgrade_entries(entries)
    rows = json.dumps({"jobs": [{}] * (MAX_ROWS + 1)}).encode()
    with pytest.raises(NotUnderstood, match="2,001 rows, more than 2,000"):
        decode.job_page(rows)


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (5, 5),
        ("5", 5),
        (-1, -1),
        (1e300, None),
        (float("inf"), None),
        (10**400, None),
        ("9" * 5_000, None),
        (2**53 + 1, None),
        ({}, None),
    ],
)
def test_counts_are_numbers_that_every_program_can_hold(value: Any, meant: int | None) -> None:
    assert integer(value) == meant


def test_a_text_that_was_cut_passes_for_no_whole_one() -> None:
    assert text("x" * MAX_TEXT) == "x" * MAX_TEXT
    cut = text("x" * (MAX_TEXT + 1))
    assert cut is not None
    assert (len(cut), cut[-1]) == (MAX_TEXT, "…")


@pytest.mark.parametrize(
    "written",
    [
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
        "1969-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "2026-08-06T12:00:00Z" + " " * 100 + "x",
        -1,
        10**15,
        10**400,
        "9" * 5_000,
        float("1e300"),
    ],
)
def test_an_instant_outside_the_calendar_cannot_be_read(written: Any) -> None:
    assert instant(written) is None


@pytest.mark.parametrize("written", ["2026-08-06T12:00:00.123456", "2026-08-06T12:00:00.123456Z"])
def test_fractions_of_a_second_are_no_offset(written: str) -> None:
    assert instant(written) == datetime(2026, 8, 6, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "date",
    ["Fri, 31 Dec 9999 23:59:59 -1400", "Tue, 01 Jan 1901 00:00:00 GMT", "Thu, 06 Aug 2026 12:00:00 GMT" + "x" * 99],
)
def test_a_date_outside_the_calendar_is_no_date(date: str) -> None:
    assert http_date(date) is None
    assert exchange_of(Answer(200, {"Date": date}, b"", NOW)) == Exchange(http_status=200)


@given(st.text() | st.datetimes().map(str) | st.integers().map(str))
@example("Mon, 01 Jan 0001 00:00:00 +9999")
def test_any_date_is_read_or_not(written: str) -> None:
    for found in (http_date(written), instant(written)):
        assert found is None or found - NOW < timedelta(days=366 * 200)


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("7200", 7_200.0),
        ("86400", 86_400.0),
        ("0", None),
        ("-3", None),
        ("-0", None),
        ("nan", None),
        ("inf", None),
        ("-inf", None),
        ("9" * 40, LONGEST_S),
        ("9" * 400, None),
        ("1e12", LONGEST_S),
        ("1e9", LONGEST_S),
        ("1e308", LONGEST_S),
        ("", None),
        ("soon", None),
        ("\udcff", None),
        (f"{NOW_S + 30:.0f}", 30.0),
        (f"{(NOW_S + 30) * 1000:.0f}", 30.0),
        (f"{NOW_S - 30:.0f}", None),
        (f"{(NOW_S - 30) * 1000:.0f}", None),
        (f"{NOW_S + 7_200:.0f}", 7_200.0),
        ("Thu, 06 Aug 2026 12:00:30 GMT", 30.0),
        ("Thu, 06 Aug 2026 11:00:00 GMT", None),
        ("Thu, 06 Aug 2099 11:00:00 GMT", LONGEST_S),
        ("Fri, 31 Dec 9999 23:59:59 -1400", None),
    ],
)
def test_what_retry_after_asks_for(header: str, wait_s: float | None) -> None:
    assert header_wait_s(header, NOW) == wait_s


@given(st.text() | st.floats().map(str) | st.integers().map(str))
def test_a_wait_that_is_asked_for_can_always_be_added_up(header: str) -> None:
    wait_s = header_wait_s(header, NOW)
    assert wait_s is None or NOW + timedelta(seconds=wait_s) > NOW or wait_s < 1e-5


def test_an_instant_to_wait_for_is_measured_by_the_clouds_own_clock() -> None:
    date = "Thu, 06 Aug 2026 13:00:00 GMT"
    failure = classify(Answer(429, {"Retry-After": f"{NOW_S + 3_630:.0f}", "Date": date}, b"", NOW))
    assert isinstance(failure, Throttled)
    assert failure.retry_after_s == 30.0


@pytest.mark.parametrize(
    ("said", "wait_s"),
    [
        ("limit:5,time:0 second", None),
        ("limit:5,time:999999 day", LONGEST_S),
        ("limit:5,time:9999999999 day", None),
        ("limit:5,time:7 days", 7 * 86_400.0),
    ],
)
def test_a_period_has_bounds_and_beyond_a_day_it_is_no_quota(said: str, wait_s: float | None) -> None:
    failure = classify(Answer(429, {}, json.dumps({"error_code": "x", "error_msg": said}).encode(), NOW))
    assert failure == Throttled(wait_s, failure.exchange)


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("<html><head><title>Welcome</title></head><body>Please log in.</body></html>", "Welcome Please log in."),
        ("<style>a{b}</style><p>words</p><script x=1>\nif (a < b) {}</script  >more", "words more"),
        ("size 3 < 5 and 7 > 6", "size 3 < 5 and 7 > 6"),
        ("words <script>never ends", "words"),
        ("words <p never ends", "words"),
        ("<" * 65_536, "<" * 159 + "…"),
        ("<p" * 65_536, ""),
        ("<script>" * 65_536, ""),
        ("\x1b\x00" * 99 + "words" + "\n" * 65_536, "words"),
    ],
)
def test_a_page_is_shown_without_its_markup(page: str, words: str) -> None:
    assert excerpt(page) == excerpt(page.encode()) == words
