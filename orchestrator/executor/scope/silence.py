"""Since when a scope says nothing, though it is asked: hung calls and errors of a gateway, before anybody gives up.

Whatever the cloud itself says ends it, also a refusal. A slow call proves nothing while others get through.
"""

from typing import TypeVar

import msgspec

from orchestrator.executor.scope.under_way import UnderWay
from orchestrator.model.reply.reply import Doubtful, NotSent, Reply, in_words

T = TypeVar("T")

#: No shorter silence is worth a word.
LONG_S = 10.0

#: One call that fails, and is not made again, proves nothing of its scope.
_FAILURES = 2

_NO_WORD = "no answer yet"


class Silence(msgspec.Struct):
    """What a scope has not said since it was last heard.

    Attributes:
        told: it was said of the scope that it is silent.
    """

    told: bool = False
    _heard_s: float = msgspec.field(default=float("-inf"))
    _first_s: float = 0.0
    _failures: int = 0
    _why: str = _NO_WORD

    @property
    def why(self) -> str:
        """What became of the last call that failed."""
        return self._why

    def take(self, reply: Reply[T], sent_s: float | None, now_s: float) -> bool:
        """Listen to a reply, and whether it ends a silence that was told.

        Args:
            reply: to a call, or to getting credentials.
            sent_s: when the call left; None when that is not known.
            now_s: when it came.
        """
        if isinstance(reply, Doubtful | NotSent):
            sent_s = now_s if sent_s is None else sent_s
            self._first_s = min(self._first_s, sent_s) if self._failures else sent_s
            self._failures, self._why = self._failures + 1, in_words(reply)
            return False
        ends, self.told = self.told, False
        self._heard_s, self._failures, self._why = now_s, 0, _NO_WORD
        return ends

    def since_s(self, under_way: UnderWay, now_s: float) -> float | None:
        """Since when it is silent, with these calls that have not ended; None while that is not worth a word."""
        hangs_s = under_way.first_from(self._heard_s)
        if hangs_s is None and self._failures < _FAILURES:
            return None
        began = [*([] if hangs_s is None else [hangs_s]), *([self._first_s] if self._failures else [])]
        since_s = min(began)
        return since_s if now_s - since_s >= LONG_S else None
