"""A rate that the cloud was found to bear, as it is kept between runs."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct


class KnownRate(Struct, frozen=True, kw_only=True):
    """What was found for one endpoint with one kind of credentials.

    Attributes:
        endpoint: for people; the key says which it is.
        rate: calls per second.
        at: when it was last in use.
    """

    endpoint: str
    rate: Annotated[float, Meta(gt=0, le=1_000_000)]
    at: Annotated[datetime, Meta(tz=True)]
