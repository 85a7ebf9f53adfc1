"""The time zone of this host, with its changes of the clock. It may have no name, so it is asked and not looked up."""

from datetime import UTC, datetime, timedelta, tzinfo


class HostZone(tzinfo):
    """Local time as this host has it: `TZ`, or its settings."""

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        """See `tzinfo`; for None the offset is not known."""
        return None if dt is None else dt.replace(tzinfo=None).astimezone().utcoffset()

    def tzname(self, dt: datetime | None) -> str | None:
        """See `tzinfo`."""
        return None if dt is None else dt.replace(tzinfo=None).astimezone().tzname()

    def dst(self, _dt: datetime | None) -> timedelta | None:
        """Not known, and not needed."""
        return None

    def fromutc(self, dt: datetime) -> datetime:
        """See `tzinfo`."""
        return dt.replace(tzinfo=UTC).astimezone().replace(tzinfo=self)


HOST_ZONE = HostZone()
