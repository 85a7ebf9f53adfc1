"""What went wrong, in words: the status once, and the request id where there is one."""

import pytest

from orchestrator.model.reply.reply import Doubtful, Exchange, Failure, NotSent, Refused, Throttled, in_words

ANSWER = Exchange(http_status=500, request_id="r-1")


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (Doubtful("HTTP 500 without a message", ANSWER), "HTTP 500 without a message (request id r-1)"),
        (Doubtful("internal error", ANSWER), "HTTP 500: internal error (request id r-1)"),
        (Refused("no such proxy", Exchange(http_status=404)), "HTTP 404: no such proxy"),
        (NotSent("connection refused"), "connection refused"),
        (Throttled(None, Exchange(http_status=429, error_msg="too many")), "too many"),
        (Throttled(None, Exchange(http_status=429)), "throttled"),
    ],
)
def test_the_status_is_said_once(failure: Failure, words: str) -> None:
    assert in_words(failure) == words
