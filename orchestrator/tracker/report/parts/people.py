"""What the report says of what persons did."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct


class ActReport(Struct, frozen=True, kw_only=True):
    """What a person did."""

    at: Annotated[datetime, Meta(description="When")]
    who: Annotated[str, Meta(description="User and host")]
    did: Annotated[str, Meta(description="What, such as `started session 1` or `released the fleet`")]
    note: Annotated[str | None, Meta(description="The note that was given; null without one")] = None
