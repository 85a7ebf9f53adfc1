"""Work in a thread that nothing waits for in the end: what hangs there, as on a dead disk, keeps no process alive."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread


def begin(work: Callable[[], None], name: str) -> Future[None]:
    """Start work in a thread of its own, which the end of the process does not wait for."""
    future: Future[None] = Future()

    def run() -> None:
        waited_for = future.set_running_or_notify_cancel()  # from now on it cannot be cancelled
        try:
            work()
        except BaseException as error:  # noqa: BLE001  # it belongs to the one who waits
            if waited_for:
                future.set_exception(error)
        else:
            if waited_for:
                future.set_result(None)

    Thread(target=run, name=name, daemon=True).start()
    return future


async def beside(work: Callable[[], None], name: str) -> None:
    """Run work beside the event loop and wait for it; when cancelled, it is left to itself."""
    await asyncio.wrap_future(begin(work, name))
