"""The form of what the report says of one upgrade: its attempts, its job, what was known of the proxy before."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from orchestrator.model.plan.target import slashed
from orchestrator.model.reply.reply import Entry

Text = str | None
Instant = datetime | None


class AttemptReport(Struct, frozen=True, kw_only=True):
    """One upgrade-version call. Everything but number and instant is null when no answer came."""

    number: Annotated[int, Meta(description="From 1", ge=1)]
    at: Annotated[datetime, Meta(description="Instant of its intent")]
    duration_ms: Annotated[int | None, Meta(description="From sending to the end of the answer")]
    http_status: int | None
    request_id: Text
    error_code: Text
    error_msg: Text
    update_result: Annotated[list[Entry], Meta(description="Every entry of the answer, word for word, in order")]
    verdict: Annotated[
        Text, Meta(description="What its answer was taken for, such as accepted, throttled or in_doubt")
    ] = None
    reason: Annotated[Text, Meta(description="Why its answer decides nothing, or what came in its place")] = None
    host: Annotated[Text, Meta(description="The host that sent it; null in older reports")] = None


class JobReport(Struct, frozen=True, kw_only=True):
    """A job of the cloud, as it was last seen."""

    status: Annotated[str, Meta(description="In the cloud's words")]
    ended_at: Annotated[Instant, Meta(description="In the cloud's time")]
    fail_reason: Text


class FactsReport(Struct, frozen=True, kw_only=True):
    """What discovery learned of a target's instance and proxy."""

    name: Annotated[Text, Meta(description="Of the instance")]
    tags: Annotated[dict[str, str] | None, Meta(description="Of the instance")]
    window: Annotated[Text, Meta(description="Maintenance window of the instance, UTC")]
    proxy_name: Annotated[Text, Meta(description="Of the proxy; null in older reports")] = None
    subnet: Annotated[Text, Meta(description="Of the proxy, or else of its instance")] = None
    nodes: Annotated[int | None, Meta(description="Of the proxy; known where discovery read its own row")] = None

    @property
    def both(self) -> str:
        """Instance and proxy as people call them; as of `Target.name`."""
        return slashed(self.name, self.proxy_name)


class EarlierReport(Struct, frozen=True, kw_only=True):
    """What an earlier run of the fleet said of a target, for the same version."""

    run_id: Annotated[str, Meta(description="Of the run that said so")]
    outcome: str
    reason: Text
    workflow_ids: Annotated[list[str], Meta(description="Of its upgrades in that run")]
