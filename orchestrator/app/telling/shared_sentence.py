"""A sentence for each record by which hosts share the work of a run."""

from typing import assert_never

from orchestrator.model.record import record as r


def shared_sentence(record: r.SharedRecord) -> str:
    """Who serves what, and what is asked of those that do."""
    match record:
        case r.ScopeServed(scope=scope, host=host):
            return f"scope {scope} is served by host {host}"
        case r.ScopeLeft(scope=scope, host=host):
            return f"scope {scope} is left by host {host}, which was told to stop"
        case r.ReadingAsked(scope=scope, kind="subnet", value=value):
            return f"the host of scope {scope} is asked for the addresses of subnet {value}"
        case r.ReadingAsked(scope=scope):
            return f"the host of scope {scope} is asked for what the cloud does itself there"
        case r.RereadAsked(wave=wave):
            return f"the hosts that serve wave {wave} are asked to read its proxies once more"
        case _:
            assert_never(record)
