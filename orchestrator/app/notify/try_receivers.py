"""A test event to each receiver of a plan, and what came of it; and what can be seen of them without sending one."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from importlib.util import find_spec
from shutil import which
from typing import NamedTuple

from orchestrator.app.notify import post
from orchestrator.app.notify.notice import Notice
from orchestrator.app.notify.receivers import ATTEMPT_S, Receiver, receivers, secret_in
from orchestrator.app.notify.untold import Untold, why_untold
from orchestrator.app.process import side_thread
from orchestrator.model.plan.plan import Http, Notify, Plan

#: A receiver that does not keep to its own time-out is left to itself after so long.
_PATIENCE_S = ATTEMPT_S + 2


class Tried(NamedTuple):
    """What came of one; `why`: why it was not told, None when it was."""

    name: str
    why: str | None
    seconds: float


def try_receivers(
    plan: Plan, environ: Mapping[str, str], now: datetime, monotonic: Callable[[], float]
) -> Iterator[Tried]:
    """Tell each of a test event, one after the other."""
    notice = Notice(
        id=f"test-{secrets.token_hex(12)}",
        kind="test",
        at=now,
        fleet=plan.name,
        run_id="test",
        target_version=plan.target_version,
        sentence="a test, nothing has happened",
        next_step="nothing",
    )
    for receiver in receivers(plan, environ):
        before = monotonic()
        yield Tried(receiver.name, _tell(receiver, notice), monotonic() - before)


def _tell(receiver: Receiver, notice: Notice) -> str | None:
    try:
        side_thread.begin(partial(receiver.tell, notice), receiver.name).result(timeout=_PATIENCE_S)
    except Exception as error:  # noqa: BLE001  # a bulkhead: one receiver touches no other
        return why_untold(error, ATTEMPT_S)
    return None


def flaw(entry: Notify, environ: Mapping[str, str], http: Http) -> str | None:
    """What is wrong with a receiver as far as it can be seen without telling it anything; None for nothing."""
    try:
        if entry.command is not None:
            return None if which(entry.command[0], path=environ.get("PATH")) else "there is no such program"
        if entry.apprise_env is not None:
            secret_in(environ, entry.apprise_env)
            return None if find_spec("apprise") else "Apprise is not installed"
        post.check_address(secret_in(environ, entry.webhook_env or entry.ping_env or ""), http)
        if entry.secret_env is not None:
            secret_in(environ, entry.secret_env)
    except Untold as untold:
        return str(untold)
    return None
