"""The rate limits of the simulated gateway: so many calls per period and project, changing over time.

Numbers for TaurusDB are not published; other services count per minute in fixed periods, and so does this.
Text of the refusal: seen live, quoted at github.com/langgenius/dify/issues/18378.
"""

from math import ceil, floor

from orchestrator.simulator.chance import below
from orchestrator.simulator.profile import Limit, Notice
from orchestrator.simulator.wire import Reply, gateway_error

THRESHOLD = "The throttling threshold has been reached"
_NOTICES: tuple[Notice, ...] = ("retry_after", "text", "bare")
_MINUTE = 60


class Throttle:
    """Counts the calls of each project in fixed periods that start with the cloud."""

    def __init__(self, limits: tuple[Limit, ...], speed: float, began: float) -> None:
        self._steps = sorted(((began + limit.after_s / speed, limit) for limit in limits), key=lambda step: step[0])
        self._began = began
        self._counts: dict[str, tuple[int, int]] = {}

    def limit_at(self, t: float) -> Limit | None:
        """The limit in force."""
        return next((limit for since, limit in reversed(self._steps) if since <= t), None)

    def refuses(self, project_id: str, t: float) -> Limit | None:
        """Count a call; the limit when it is one too many. Refused calls are not counted."""
        limit = self.limit_at(t) if self._steps else None
        if limit is None:
            return None
        period = floor((t - self._began) / limit.period_s)
        last, count = self._counts.get(project_id, (period, 0))
        if last != period:
            count = 0
        if count >= limit.calls:
            return limit
        self._counts[project_id] = (period, count + 1)
        return None

    def wait_s(self, limit: Limit, t: float) -> float:
        """Seconds until the next period."""
        return limit.period_s - (t - self._began) % limit.period_s


def refusal(notice: Notice, limit: Limit, wait_s: float, request_id: str, seed: int) -> Reply:
    """The 429, with Retry-After, with the period in its text only, or with neither."""
    if notice == "mixed":
        notice = _NOTICES[below(len(_NOTICES), seed, "notice", request_id)]
    text = THRESHOLD
    if notice == "text":
        text += f": policy user over ratelimit,limit:{limit.calls},time:{_period(limit.period_s)}"
    reply = gateway_error(429, "APIGW.0308", text, request_id)
    if notice != "retry_after":
        return reply
    return Reply(status=429, body=reply.body, headers={"Retry-After": str(max(1, ceil(wait_s)))})


def _period(period_s: float) -> str:
    whole = max(1, ceil(period_s))
    return f"{whole // _MINUTE} minute" if whole % _MINUTE == 0 else f"{whole} second"
