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
from orchestrator.model.record.record import RereadAsked
from orchestrator.model.run.run import Run
from orchestrator.model.run.state import TargetState

#: How many proxies are read at once.
_READERS = 10

#: How often it is looked whether other hosts have read theirs.
_LOOK_S = 0.5


async def verify_wave(session: Session, wave: str) -> None:
    """Read the wave's proxies; afterwards it is among the rollout's `verified` or `unverified` waves."""
    rollout = session.rollout
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(_await_others, session, wave)
            await read_wave(session, wave)
    finally:
        rollout.verifying = None
    if wave not in rollout.unverified:
        rollout.verified.add(wave)


async def read_wave(session: Session, wave: str) -> None:
    """Read those of the wave's proxies that this host serves."""
    states = (state for state in _succeeded(session, wave) if session.serves(state.target.scope))
    async with anyio.create_task_group() as group:
        for _ in range(_READERS):
            group.start_soon(_read_each, states, session, wave)


def _succeeded(session: Session, wave: str) -> Iterator[TargetState]:
    states, targets = session.run.states, session.run.waves[wave].targets
    return (states[proxy_id] for proxy_id in targets if states.outcome(proxy_id) is Outcome.SUCCEEDED)


async def _await_others(session: Session, wave: str) -> None:
    """Ask the hosts that serve the others, and return when all are read, or cannot be."""
    rollout = session.rollout
    rollout.rereading = {each.key for each in _succeeded(session, wave) if not session.serves(each.target.scope)}
    if rollout.rereading:
        await session.ledger.record(RereadAsked(at=session.clock.now(), wave=wave))
    while rollout.rereading:
        lost = {key for key in rollout.rereading if _is_lost(session.run, key)}
        rollout.rereading -= lost
        rollout.unverified.update([wave] if lost else [])
        await session.clock.sleep(_LOOK_S)


def _is_lost(run: Run, key: str) -> bool:
    """Whether nobody will read it in this session."""
    return run.scopes[run.targets[key].scope].given_up is not None or run.states[key].set_aside is not None


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
