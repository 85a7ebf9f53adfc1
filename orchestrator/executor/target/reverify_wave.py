"""The end of a soak: every proxy that was upgraded in the wave is read once more."""

from collections.abc import Iterator

import anyio

from orchestrator.errors import Broken, StateError
from orchestrator.executor.bulkhead import break_off
from orchestrator.executor.ledger import SetAside
from orchestrator.executor.scope.gate import ScopeGone
from orchestrator.executor.session import Session
from orchestrator.executor.target.verify import reverify
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.run.state import TargetState

#: How many proxies are read at once.
_READERS = 10


async def verify_wave(session: Session, wave: str) -> None:
    """Read the wave's proxies; afterwards it is among the rollout's `verified` or `unverified` waves."""
    rollout = session.rollout
    try:
        await _read_all(session, wave)
    finally:
        rollout.verifying = None
    if wave not in rollout.unverified:
        rollout.verified.add(wave)


async def _read_all(session: Session, wave: str) -> None:
    states = (session.run.states[proxy_id] for proxy_id in session.run.waves[wave].targets)
    succeeded = (state for state in states if state.outcome is Outcome.SUCCEEDED)
    async with anyio.create_task_group() as group:
        for _ in range(_READERS):
            group.start_soon(_read_each, succeeded, session, wave)


async def _read_each(states: Iterator[TargetState], session: Session, wave: str) -> None:
    for state in states:
        try:
            with session.stories.one(state):
                if not await reverify(state, session):
                    session.rollout.unverified.add(wave)
        except (ScopeGone, SetAside):
            session.rollout.unverified.add(wave)
        except (StateError, Broken):
            raise
        except Exception as error:  # noqa: BLE001  # a bulkhead: the others are read
            session.rollout.unverified.add(wave)
            await break_off(state, session, error)
