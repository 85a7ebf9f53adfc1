"""What the report says of the hosts that worked on a run."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from orchestrator.model.run.hosts import Hosts
from orchestrator.spoken import counted


class HostReport(Struct, frozen=True, kw_only=True):
    """One host that worked on the run."""

    name: str
    joined_at: Annotated[datetime, Meta(description="When its first session began")]
    left_at: Annotated[
        datetime | None,
        Meta(description="When its latest session ended, or wrote its last record; null while it may be under way"),
    ]
    lost: Annotated[bool, Meta(description="That session never said that it ended, and another one began after it")]
    targets: Annotated[int, Meta(description="How many targets it has sent an attempt of")]
    led: Annotated[bool, Meta(description="It decided what starts; one that only stood by is not in here")]

    def __str__(self) -> str:
        lost = f" (lost at {self.left_at:%Y-%m-%d %H:%M:%SZ})" if self.lost and self.left_at else ""
        return f"{self.name}{lost}: {counted(self.targets, 'target')}"


def hosts_form(hosts: Hosts) -> list[HostReport]:
    """The hosts in the order in which they joined."""
    return [
        HostReport(
            name=name,
            joined_at=stay.joined_at,
            left_at=stay.left_at,
            lost=stay.lost,
            targets=stay.targets,
            led=stay.led,
        )
        for name, stay in hosts.stays.items()
    ]
