"""Declaration of what is told to others: numbers for a monitoring system, and notifications."""

from typing import Any, get_args

from orchestrator.model.plan.plan import Metrics, NoticeKind, Notify
from orchestrator.planner.plan_file.names import SECRETIVE_TEXT, TEXT, VARIABLE, word
from orchestrator.planner.reading.mapping import Field, Found, Record
from orchestrator.planner.reading.shapes import ListOf

METRICS = Record(
    build=Metrics,
    fields=(
        Field(
            key="textfile",
            shape=TEXT,
            doc="File that node_exporter reads, relative to the plan; written every 15 seconds and at the end.",
            example="/var/lib/node_exporter/prod-proxies.prom",
        ),
    ),
)

#: The ways to a receiver; an entry uses one.
_WAYS = ("command", "webhook_env", "apprise_env", "ping_env")


def _check_notify(found: Found) -> None:
    ways = [way for way in _WAYS if way in found.places]
    if len(ways) != 1:
        what = f"here are several: {', '.join(ways)}" if ways else f"write one of {', '.join(_WAYS)}"
        found.problems.add(found.node, found.at, f"an entry is one receiver; {what}")
    elif "secret_env" in found.places and ways != ["webhook_env"]:
        found.add("secret_env", "signs what a webhook gets; it stands beside webhook_env")


def _make_notify(**values: Any) -> Notify:
    if "ping_env" in values:
        values.setdefault("on", ())
    return Notify(**values)


_ONE_WAY: dict[str, Any] = {
    "oneOf": [{"required": [way]} for way in _WAYS],
    "dependentRequired": {"secret_env": ["webhook_env"]},
}

NOTIFY = ListOf(
    item=Record(
        build=_make_notify,
        check=_check_notify,
        extra=_ONE_WAY,
        secretive=True,
        fields=(
            Field(
                key="command",
                shape=ListOf(item=SECRETIVE_TEXT, least=1),
                doc="Program and arguments that get the event as JSON on stdin; no shell, and no secret among them.",
                example=["/usr/local/bin/page-on-call", "--team", "db"],
            ),
            Field(
                key="webhook_env",
                shape=VARIABLE,
                doc="Environment variable with an address to which the event is posted as CloudEvents 1.0 JSON.",
                example="FLEET_WEBHOOK",
            ),
            Field(
                key="secret_env",
                shape=VARIABLE,
                doc="Environment variable with the secret of the HMAC-SHA256 that signs what a webhook gets.",
            ),
            Field(
                key="apprise_env",
                shape=VARIABLE,
                doc="Environment variable with an address of Apprise: DingTalk, Feishu, WeCom, Teams, Slack, mail.",
            ),
            Field(
                key="ping_env",
                shape=VARIABLE,
                doc="Environment variable with the address of a dead man's switch, which is told of each session.",
            ),
            Field(
                key="on",
                shape=ListOf(item=word(*get_args(NoticeKind)), unique=True),
                doc="What the receiver is told of. For a ping: what it is told of as a failure at once; nothing when "
                "absent.",
                default=list(Notify().on),
            ),
        ),
    )
)
