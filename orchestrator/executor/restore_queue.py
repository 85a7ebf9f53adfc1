"""The queue of a run, as a session finds it: the order, the waves' shares, and where an earlier session left off."""

from collections.abc import Sequence
from functools import partial

from orchestrator.executor.decide.bench import WaveDraw
from orchestrator.executor.decide.start_queue import StartQueue
from orchestrator.model.plan.order import draw_order
from orchestrator.model.plan.plan import Plan, Wave
from orchestrator.model.plan.selection import matches
from orchestrator.model.plan.target import Target
from orchestrator.model.record.outcome import REPLACED, Phase
from orchestrator.model.run.run import Run
from orchestrator.model.run.states.packed_state import Packed


def make_queue(plan: Plan, targets: Sequence[Target], run: Run, order: Sequence[int] | None = None) -> StartQueue:
    """The queue, with every target that an earlier session touched where it left it.

    Args:
        plan: as in force.
        targets: all, in plan order.
        run: as it stands.
        order: see `draw_order`, where it is known already.
    """
    places = draw_order(plan.name, (target.proxy_id for target in targets)) if order is None else order
    queue = StartQueue([targets[place] for place in places], [_share(wave, len(targets)) for wave in plan.waves])
    for proxy_id, state in run.states.known():
        member = state.outcome not in REPLACED
        if isinstance(state, Packed):
            queue.restore(proxy_id, state.wave, member=member, waiting=False)
        else:
            waiting = state.phase is Phase.WAITING
            queue.restore(proxy_id, state.wave, member=member, waiting=waiting, turned_away=state.turned_away)
    for wave in run.waves.values():
        if wave.done_at is not None:
            queue.draw_all(wave.name)
    return queue


def _share(wave: Wave, total: int) -> WaveDraw:
    admits = _everyone if wave.select is None else partial(matches, wave.select)
    return WaveDraw(wave.name, None if wave.size is None else wave.size.cap(total), admits)


def _everyone(_target: Target) -> bool:
    return True
