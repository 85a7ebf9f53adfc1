"""Makes `tests/` importable, so that every test finds the helpers in `fakes`, and gives its processes usual signals."""

import signal


def pytest_configure() -> None:
    """Heed the signals that a background job or `nohup` ignores: processes of tests would ignore them as well."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
