"""Reading one proxy for its story: the version and the health, None where the cloud did not tell."""

from orchestrator.executor.rate.lane import Lane
from orchestrator.executor.session import Session
from orchestrator.model.reply.reply import Answered, ProxyHealth, ProxyVersion
from orchestrator.model.run.state import TargetState


async def read_version(state: TargetState, session: Session) -> ProxyVersion | None:
    """The proxy's kernel."""
    target = state.target
    reply = await session.calls(state).read(
        lambda api: api.proxy_version(target.instance_id, target.proxy_id), Lane.POLL
    )
    return reply.value if isinstance(reply, Answered) else None


async def read_health(state: TargetState, session: Session) -> ProxyHealth | None:
    """Status of the proxy and its nodes."""
    target = state.target
    reply = await session.calls(state).read(
        lambda api: api.proxy_health(target.instance_id, target.proxy_id), Lane.POLL
    )
    return reply.value if isinstance(reply, Answered) else None
