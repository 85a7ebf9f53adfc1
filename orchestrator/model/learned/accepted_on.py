"""When each workflow of ours was accepted, by instance, in a third of the room that dicts and moments take."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from struct import Struct as Layout

import msgspec

from orchestrator.model.record.moment import Moment

#: A moment: at and cloud_at in microseconds of the epoch, session, within_s.
_MOMENT = Layout("<qqid")
_EPOCH, _TICK = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
#: Stands for a time of the cloud that is not known: before the year 1.
_UNKNOWN = -(1 << 62)


class AcceptedOn(msgspec.Struct):
    """For each instance its workflows, each followed by its moment."""

    _told: dict[str, tuple[str | bytes, ...]] = {}

    def __len__(self) -> int:
        return len(self._told)

    def add(self, instance_id: str, workflow: str, since: Moment) -> None:
        """A workflow was accepted; of one that was before, the later moment counts."""
        self._keep(instance_id, {**self.of(instance_id), workflow: since})

    def drop(self, instance_id: str, workflow: str) -> None:
        """A workflow is not ours after all."""
        told = self.of(instance_id)
        if told.pop(workflow, None) is not None:
            self._keep(instance_id, told)

    def of(self, instance_id: str) -> dict[str, Moment]:
        """The workflows of ours on an instance, each with when it was accepted; a new dict."""
        told = iter(self._told.get(instance_id, ()))
        return {str(workflow): _moment(next(told)) for workflow in told}

    def items(self) -> Iterator[tuple[str, dict[str, Moment]]]:
        """All instances with their workflows."""
        return ((instance_id, self.of(instance_id)) for instance_id in self._told)

    def update(self, told: Mapping[str, Mapping[str, Moment]]) -> None:
        """Take over what is told of these instances."""
        for instance_id, moments in told.items():
            self._keep(instance_id, moments)

    def _keep(self, instance_id: str, moments: Mapping[str, Moment]) -> None:
        self._told[instance_id] = tuple(
            each for workflow, since in moments.items() for each in (workflow, _bytes(since))
        )


def _bytes(moment: Moment) -> bytes:
    cloud = _UNKNOWN if moment.cloud_at is None else (moment.cloud_at - _EPOCH) // _TICK
    return _MOMENT.pack((moment.at - _EPOCH) // _TICK, cloud, moment.session, moment.within_s)


def _moment(told: str | bytes) -> Moment:
    at, cloud, session, within_s = _MOMENT.unpack(told)  # type: ignore[arg-type]  # every second one is a moment
    cloud_at = None if cloud == _UNKNOWN else _EPOCH + cloud * _TICK
    return Moment(_EPOCH + at * _TICK, session, cloud_at, within_s)
