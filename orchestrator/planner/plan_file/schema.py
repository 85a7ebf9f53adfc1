"""The declaration of the whole plan: every key of the top level. What a plan may hold is said here and nowhere else."""

from orchestrator.planner.plan_file.json_rules import RULES
from orchestrator.planner.plan_file.names import FLEET_NAME, NAME, PLAN_VERSION, VERSION, word
from orchestrator.planner.plan_file.numbers import SWITCH
from orchestrator.planner.plan_file.rules import check_plan, scope_name
from orchestrator.planner.plan_file.schemas.schema_gates import GATES
from orchestrator.planner.plan_file.schemas.schema_impact import CLOUD_EYE, IMPACT
from orchestrator.planner.plan_file.schemas.schema_notify import METRICS, NOTIFY
from orchestrator.planner.plan_file.schemas.schema_rollout import (
    CAPACITY,
    FAILURES,
    FOLLOW,
    FREEZES,
    HTTP,
    LIMITS,
    RETRY,
    WAVES,
    WINDOWS,
)
from orchestrator.planner.plan_file.schemas.schema_scope import SCOPE, WHERE
from orchestrator.planner.plan_file.schemas.schema_targets import (
    DISCOVER,
    EXPECT,
    INVENTORY,
    PROXY,
    SELECTOR,
    SOURCE_VERSIONS,
)
from orchestrator.planner.reading.mapping import Field, Record
from orchestrator.planner.reading.shapes import ListOf, MapOf

FIELDS = (
    Field(key="version", shape=PLAN_VERSION, doc="Version of this form of plan.", required=True, example=1),
    Field(key="name", shape=FLEET_NAME, doc="The fleet; owns a state folder and a lock. The file's stem when absent."),
    Field(
        key="target_version",
        shape=VERSION,
        doc="Kernel version that every target should run.",
        required=True,
        example="2.24.03.000",
    ),
    Field(
        key="source_version",
        attr="source_versions",
        shape=SOURCE_VERSIONS,
        doc="One or a list: only proxies that run one of these are upgraded; others are skipped: drifted.",
        example=["2.23.12.000"],
    ),
    *WHERE,
    Field(
        key="scopes",
        shape=MapOf(item=SCOPE, name=scope_name, names=NAME.schema, least=1),
        doc="Several scopes by name, in place of region, project_id, endpoint, iam_endpoint and auth at the top level.",
    ),
    Field(
        key="scopes_required",
        shape=word("any", "all"),
        doc="any: a scope that cannot be used fails alone; all: then nothing starts.",
        default="any",
    ),
    Field(key="proxies", shape=ListOf(item=PROXY), doc="Targets written out."),
    Field(key="inventory", shape=INVENTORY, doc="Targets from CSV or NDJSON files, relative to the plan."),
    Field(key="discover", shape=ListOf(item=DISCOVER), doc="Targets from the cloud."),
    Field(key="exclude", shape=ListOf(item=SELECTOR), doc="A target that matches any entry is left out."),
    Field(key="expect", shape=EXPECT, doc="How many targets there must be; outside it nothing starts."),
    Field(
        key="waves",
        shape=WAVES,
        doc="Ordered shares of the targets; the next opens when this one is settled, soaked and within budget.",
        default=[{"name": "canary", "size": 1, "max_failures": 0}, {"name": "rest"}],
    ),
    Field(key="limits", shape=LIMITS, doc="How much may happen at once."),
    Field(key="failures", shape=FAILURES, doc="What counts as harm, and how much of it stops the fleet."),
    Field(
        key="windows",
        shape=WINDOWS,
        doc="Hours in which upgrades may start: always, a list, or instance (each instance's own maintenance window).",
        default="always",
    ),
    Field(key="freezes", shape=FREEZES, doc="Days on which nothing starts, both ends included.", default=[]),
    Field(
        key="fit",
        shape=SWITCH,
        doc="With windows: start only what should end before the window closes.",
        default=True,
    ),
    Field(key="gates", shape=GATES, doc="Questions that must be answered well before upgrades start.", default=[]),
    Field(
        key="impact",
        shape=IMPACT,
        doc="Where is read what upgrades do to applications: off, or cloud_eye (connections, response time, queries).",
        default="off",
    ),
    Field(key="cloud_eye", shape=CLOUD_EYE, doc="How metrics of proxies are read, for impact and gates."),
    Field(
        key="capacity",
        shape=CAPACITY,
        doc="Start no more upgrades in a subnet than it has free addresses for; off: do not look.",
        default={"subnet_reserve": 2},
    ),
    Field(
        key="cloud_events",
        shape=word("off", "wait"),
        doc="Whether targets wait while the cloud is about to do something to their instances itself.",
        default="wait",
    ),
    Field(key="follow", shape=FOLLOW, doc="How far and how patiently an accepted upgrade is followed."),
    Field(key="retry", shape=RETRY, doc="How often, and after how long, something is tried again."),
    Field(key="http", shape=HTTP, doc="How calls are made."),
    Field(key="language", shape=word("en-us", "zh-cn"), doc="Language of the cloud's messages.", default="en-us"),
    Field(key="metrics", shape=METRICS, doc="Where numbers of a run are written for a monitoring system."),
    Field(key="notify", shape=NOTIFY, doc="Who is told when something happens for which a person should know."),
)

PLAN = Record(
    build=dict,
    fields=FIELDS,
    check=check_plan,
    extra=RULES,
)
