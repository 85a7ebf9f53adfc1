"""Declaration of what names targets: proxies written out, discovery, selectors, and how many there must be."""

from orchestrator.model.plan.plan import Discover, Expect, InstanceFilter
from orchestrator.model.plan.selection import Selector
from orchestrator.model.plan.target import Target
from orchestrator.planner.plan_file.names import (
    FILTER_ID,
    INSTANCE_ID,
    INVENTORY_FILE,
    LABEL,
    NAME,
    PROXY_ID,
    TEXT,
    VERSION,
)
from orchestrator.planner.plan_file.numbers import integer
from orchestrator.planner.reading.mapping import Field, Found, Record
from orchestrator.planner.reading.shapes import ListOf, MapOf

#: Name of the only scope of a plan without `scopes`.
DEFAULT_SCOPE = "default"
MOST_TARGETS = 10_000_000
#: Each of them is carried by a target through journal and report.
MOST_LABELS = 200

_EXAMPLE_INSTANCE = "517ea793ab91438cbfcd9c4b1c958b1ein07"
_EXAMPLE_PROXY = "0f46fc46396e4fb19a0cb52f578e9511po01"


def label_name(text: str) -> None:
    """Refuse what cannot be the name of a label."""
    if not text.strip():
        raise ValueError("a label needs a name")


#: JSON Schema of the name of a label.
LABEL_NAME = {"pattern": r"\S"}
LABELS = MapOf(item=LABEL, name=label_name, names=LABEL_NAME, most=MOST_LABELS)


def _make_target(**values: object) -> Target:
    return Target(**{"scope": DEFAULT_SCOPE, **values})  # type: ignore[arg-type]  # typed by the declaration below


PROXY = Record(
    build=_make_target,
    fields=(
        Field(key="scope", shape=NAME, doc="Scope of the proxy; required when the plan has scopes."),
        Field(key="instance_id", shape=INSTANCE_ID, doc="DB instance.", required=True, example=_EXAMPLE_INSTANCE),
        Field(key="proxy_id", shape=PROXY_ID, doc="Database proxy.", required=True, example=_EXAMPLE_PROXY),
        Field(key="source_version", shape=VERSION, doc="Only from this version; else the target is skipped: drifted."),
        Field(key="labels", shape=LABELS, doc="Names and values of your own.", example={"app": "billing"}),
    ),
)

_INSTANCES = Record(
    build=InstanceFilter,
    fields=(
        Field(key="ids", shape=ListOf(item=INSTANCE_ID, least=1, unique=True), doc="Exactly these instances."),
        Field(key="name", shape=TEXT, doc="Name of the instance, with * wildcards.", example="*orders"),
        Field(key="tags", shape=MapOf(item=LABEL, least=1), doc="All of these tags.", example={"env": "prod"}),
        Field(key="vpc_id", shape=FILTER_ID, doc="VPC of the instance."),
        Field(key="enterprise_project_id", shape=FILTER_ID, doc="Enterprise project of the instance."),
    ),
)


def _make_discover(**values: object) -> Discover:
    return Discover(**{"scope": DEFAULT_SCOPE, **values})  # type: ignore[arg-type]  # typed by the declaration below


DISCOVER = Record(
    build=_make_discover,
    fields=(
        Field(key="scope", shape=NAME, doc="Scope to search; required when the plan has scopes."),
        Field(key="instances", shape=_INSTANCES, doc="Which instances; all of the project when absent."),
    ),
)


def _check_selector(found: Found) -> None:
    if not found.places:
        found.problems.add(found.node, found.at, "is empty, and would match every target; write what it should match")


SELECTOR = Record(
    build=Selector,
    check=_check_selector,
    extra={"minProperties": 1},
    fields=(
        Field(key="scope", shape=NAME, doc="Scope of the target."),
        Field(key="instance_id", shape=INSTANCE_ID, doc="DB instance of the target."),
        Field(key="proxy_id", shape=PROXY_ID, doc="The proxy itself."),
        Field(key="name", shape=TEXT, doc="Name of the instance, with * wildcards; known of discovered targets."),
        Field(
            key="labels",
            shape=MapOf(item=LABEL, name=label_name, names=LABEL_NAME, least=1),
            doc="All of these labels.",
        ),
        Field(key="tags", shape=MapOf(item=LABEL, least=1), doc="All of these tags; known of discovered targets."),
    ),
)


def _check_expect(found: Found) -> None:
    least, most = found.values.get("min", Expect().min), found.values.get("max")
    if most is not None and most < least:
        found.add("max", f"is below min ({least:,})")


EXPECT = Record(
    build=Expect,
    check=_check_expect,
    fields=(
        Field(key="min", shape=integer(0, MOST_TARGETS), doc="Fewest targets.", default=1),
        Field(key="max", shape=integer(0, MOST_TARGETS), doc="Most targets; no bound when absent.", example=5000),
    ),
)

INVENTORY = ListOf(item=INVENTORY_FILE, one=True, unique=True)
SOURCE_VERSIONS = ListOf(item=VERSION, one=True, least=1, unique=True)
