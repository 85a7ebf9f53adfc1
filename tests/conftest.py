"""Makes `tests/` importable, so that every test finds the helpers in `fakes`, and gives its processes usual signals."""

import signal

from hypothesis import HealthCheck, settings

#: A deadline, or a draw that is called too slow, says something of the machine and nothing of the program.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])


def pytest_configure() -> None:
    """Heed the signals that a background job or `nohup` ignores: processes of tests would ignore them as well."""
    settings.load_profile("any machine")
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
