"""Which signals ask this process to stop in good order."""

import signal

_STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def stop_signals() -> tuple[signal.Signals, ...]:
    """A stop, Ctrl-C and a closed terminal; without those that the caller had ignored for us, as `nohup` does."""
    return tuple(number for number in _STOPS if signal.getsignal(number) is not signal.SIG_IGN)
