"""Credentials that several scopes share are tried by one of them, and at most twice in all when they are wrong."""

from typing import Any

import anyio
import pytest

from orchestrator.executor.scope.shared_credentials import SharedCredentials
from orchestrator.model.reply.reply import Answered, Exchange, NotSent, Reply, Throttled, Unauthenticated

pytestmark = pytest.mark.anyio

REFUSED = Unauthenticated("wrong signature", Exchange(http_status=401))
OTHERS = [
    NotSent("connection refused"),
    Throttled(1.0, Exchange(http_status=429)),
    Unauthenticated("IAM knows no project named cn-north-4", Exchange()),
]


@pytest.fixture
def anyio_backend() -> str:
    return "trio"


class Cloud:
    """Gives its replies in turn, the last one for ever, and counts what was asked, and how much of it at once."""

    def __init__(self, *replies: Any) -> None:
        self.replies = list(replies)
        self.calls = self.under_way = self.most = 0

    async def ask(self) -> Reply[Any]:
        self.calls += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await anyio.sleep(0.001)
        self.under_way -= 1
        reply: Reply[Any] = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return reply


async def together(credentials: SharedCredentials, cloud: Cloud, scopes: int, times: int = 1) -> list[Reply[Any]]:
    replies = []

    async def one() -> None:
        replies.extend([await credentials.probe(cloud.ask) for _ in range(times)])

    async with anyio.create_task_group() as group:
        for _ in range(scopes):
            group.start_soon(one)
    return replies


async def test_six_scopes_with_one_wrong_key_are_refused_twice_in_all() -> None:
    credentials, cloud = SharedCredentials(), Cloud(REFUSED)
    replies = await together(credentials, cloud, 6, times=2)
    assert cloud.calls == 2
    assert all(isinstance(reply, Unauthenticated) for reply in replies)
    assert any("not tried" in reply.reason and "wrong signature" in reply.reason for reply in replies)  # type: ignore[union-attr]


async def test_good_credentials_are_tried_alone_and_then_used_by_all_at_once() -> None:
    credentials, cloud = SharedCredentials(), Cloud(Answered(None, Exchange(http_status=200)))
    await together(credentials, cloud, 6)
    assert (cloud.calls, cloud.most) == (6, 5)


@pytest.mark.parametrize("reply", OTHERS)
async def test_what_says_nothing_of_the_credentials_stops_nobody(reply: Any) -> None:
    credentials, cloud = SharedCredentials(), Cloud(reply)
    await together(credentials, cloud, 6, times=3)
    assert (cloud.calls, cloud.most) == (18, 1)


async def test_credentials_that_worked_once_are_no_longer_on_trial() -> None:
    credentials, cloud = SharedCredentials(), Cloud(Answered(None, Exchange(http_status=200)), REFUSED)
    await together(credentials, cloud, 1, times=5)
    assert cloud.calls == 5
