"""Another rate for a pacer that is in use: its last calls count, and so does a pause that the cloud asked for."""

from orchestrator.executor.rate.auto_rate import AutoPacer, auto_pacer
from orchestrator.executor.rate.fixed_rate import WindowPacer
from orchestrator.executor.rate.pacer import Pacer
from orchestrator.executor.rate.shared_pacer import SharedPacer


def changed_rate(pacer: Pacer, rate: float | None) -> Pacer:
    """The pacer for this rate, in calls per second; None: it is to be found out."""
    match pacer:
        case SharedPacer():
            pacer.keep_to(rate)
        case WindowPacer() if rate is not None:
            pacer.nominal = rate
        case WindowPacer() | AutoPacer() if rate is not None or isinstance(pacer, WindowPacer):
            other = auto_pacer() if rate is None else WindowPacer(rate)
            other.succeed(pacer.sent, pacer.held_until)
            return other
        case _:
            pass  # it finds the rate out already
    return pacer
