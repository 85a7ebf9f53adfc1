from typing import Any

import anyio
import pytest

from orchestrator.cloud.credentials.credential import Token, unusable
from orchestrator.cloud.credentials.renewal import Renewal
from orchestrator.cloud.secrets.secret import Secret
from orchestrator.model.reply.reply import NotSent, Unauthenticated

pytestmark = pytest.mark.anyio


class Scripted:
    """A source that gives what the test wrote down, while its gate is open."""

    renew_before_s = 600.0

    def __init__(self, *outcomes: Any) -> None:
        self.outcomes = list(outcomes)
        self.fetches = 0
        self.asked, self.gate = anyio.Event(), anyio.Event()
        self.gate.set()

    async def fetch(self) -> Any:
        self.fetches += 1
        self.asked.set()
        await anyio.lowlevel.checkpoint()
        await self.gate.wait()
        return self.outcomes.pop(0)


def tok(name: str, lifetime_s: float | None = None) -> Any:
    return Token(token=Secret(name), lifetime_s=lifetime_s)


async def together(call: Any, count: int = 20) -> Any:
    outcomes = []

    async def one() -> None:
        outcomes.append(await call())

    async with anyio.create_task_group() as tasks:
        for _ in range(count):
            tasks.start_soon(one)
    return outcomes


async def test_one_fetch_however_many_callers(clock: Any) -> None:
    source = Scripted(tok("one"), tok("two"))
    renewal = Renewal(source, clock)
    assert await together(renewal.prepare) == [None] * 20
    assert (source.fetches, renewal.generation) == (1, 1)
    assert await together(renewal.renew) == [None] * 20
    assert (source.fetches, renewal.generation) == (2, 2)
    assert renewal.credential == tok("two")


async def test_one_failed_fetch_however_many_callers(clock: Any) -> None:
    source = Scripted(unusable("no"), unusable("no"))
    renewal = Renewal(source, clock)
    outcomes = await together(renewal.prepare)
    assert all(isinstance(outcome, Unauthenticated) for outcome in outcomes)
    assert (source.fetches, renewal.generation) == (1, 0)


async def test_an_early_renewal_that_fails_is_not_repeated_at_every_call(clock: Any) -> None:
    source = Scripted(tok("one", 3600.0), NotSent("IAM is down"), tok("two", 3600.0))
    renewal = Renewal(source, clock)
    await renewal.prepare()
    clock.advance(3001)
    assert [await renewal.prepare() for _ in range(3)] == [None] * 3
    assert (source.fetches, renewal.generation) == (2, 1)
    clock.advance(61)
    assert await renewal.prepare() is None
    assert (source.fetches, renewal.generation) == (3, 2)


async def test_a_credential_that_ended_is_not_used(clock: Any) -> None:
    source = Scripted(tok("one", 3600.0), NotSent("IAM is down"))
    renewal = Renewal(source, clock)
    await renewal.prepare()
    clock.advance(3601)
    assert isinstance(await renewal.prepare(), NotSent)


async def test_callers_do_not_wait_for_an_early_renewal(clock: Any) -> None:
    source = Scripted(tok("one", 3600.0), tok("two", 3600.0))
    renewal = Renewal(source, clock)
    await renewal.prepare()
    clock.advance(3001)
    source.asked, source.gate = anyio.Event(), anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(renewal.prepare)
        await source.asked.wait()
        assert await renewal.prepare() is None
        assert renewal.credential == tok("one", 3600.0)
        source.gate.set()
    assert renewal.credential == tok("two", 3600.0)


async def test_a_short_life_is_not_renewed_at_every_call(clock: Any) -> None:
    source = Scripted(tok("one", 300.0))
    renewal = Renewal(source, clock)
    await renewal.prepare()
    clock.advance(50)
    await renewal.prepare()
    assert source.fetches == 1


async def test_the_same_credential_again_is_no_new_generation(clock: Any) -> None:
    source = Scripted(tok("one", 300.0), tok("one", 300.0), tok("one", 300.0))
    renewal = Renewal(source, clock)
    await renewal.prepare()
    clock.advance(100)
    await renewal.prepare()
    assert (source.fetches, renewal.generation) == (2, 1)
    await renewal.renew()
    assert renewal.generation == 2


async def test_a_refused_credential_is_dropped_whatever_comes_of_the_renewal(clock: Any) -> None:
    renewal = Renewal(Scripted(tok("one"), NotSent("IAM is down"), tok("two")), clock)
    await renewal.prepare()
    assert isinstance(await renewal.renew(), NotSent)
    assert renewal.credential is None
    assert await renewal.prepare() is None
    assert renewal.credential == tok("two")


async def test_a_caller_that_gives_up_leaves_the_others_unharmed(clock: Any) -> None:
    source = Scripted(tok("one"))
    source.gate = anyio.Event()
    renewal = Renewal(source, clock)
    with anyio.move_on_after(0.001):
        await renewal.prepare()
    source.gate.set()
    assert await renewal.prepare() is None
    assert renewal.credential == tok("one")
