"""The text of a plan for a fleet that was found: every key that a first night needs, each with why. Pure."""

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby

from orchestrator.app.init.found_fleet import FoundFleet
from orchestrator.model.plan.plan import Plan, Scope
from orchestrator.model.plan.target import Facts, Target
from orchestrator.plain import plain
from orchestrator.spoken import counted

_HEAD = """\
# A plan for the Database Proxies that the cloud showed at {at:%Y-%m-%d %H:%M} UTC.
# A key in words:            orchestrator explain KEY
# Check it, no network:      orchestrator plan {path} --offline
# What would happen:         orchestrator plan {path}
# Is all there for a night:  orchestrator doctor {path}
version: 1
name: {name}"""

_PACE = """
# One proxy first, and an hour to look at it. The others wait for you: orchestrator release PLAN rest --note TEXT
waves:
  - {name: canary, size: 1, max_failures: 0, soak: 1h}
  - {name: rest, approve: true}

# Connections through a proxy are cut while it is upgraded. So many at once, and never two of one instance:
limits: {in_flight: 10, per_instance: 1}

# The first failure beyond this stops all starts until a person releases the fleet.
failures: {max: 1%}

# Upgrades may start at any hour. To keep them to the night, take the # away:
# windows:
#   - {days: [sat, sun], from: "22:00", to: "05:00", timezone: Asia/Shanghai}"""


def first_plan(asked: Plan, found: FoundFleet, shown: str, now: datetime) -> str:
    """The whole text.

    Args:
        asked: what the cloud was asked for.
        found: what it showed.
        shown: the plan as commands name it.
        now: when that was.
    """
    (scope,) = asked.scopes
    lines = [
        _HEAD.format(at=now, path=plain(shown), name=json.dumps(asked.name)),
        *_scope(scope),
        *_version(found),
        *_PACE.split("\n"),
        *_proxies(found),
    ]
    return "\n".join(lines) + "\n"


def _scope(scope: Scope) -> Iterator[str]:
    for key, value in (("region", scope.region), ("project_id", scope.project_id), ("endpoint", scope.endpoint)):
        if value is not None:
            yield f"{key}: {json.dumps(value)}"
    yield "# Credentials come from the environment; to name others: orchestrator explain auth"


def _version(found: FoundFleet) -> Iterator[str]:
    version = found.newest
    if version is None:
        yield "\n# No version could be read: write the one that the console offers."
        yield 'target_version: "0"'
        return
    there = sum(each.current_version == version for each in found.versions.values())
    proxies = counted(len(found.targets), "proxy", "proxies")
    yield f"\n# The newest on offer. {there} of {proxies} run it already, and are left alone."
    yield f"target_version: {json.dumps(version)}"


def _proxies(found: FoundFleet) -> Iterator[str]:
    instances = len({target.instance_id for target in found.targets})
    proxies = counted(len(found.targets), "proxy", "proxies")
    places = counted(instances, "instance")
    yield f"\n# {proxies} on {places}. To look for them again before each run, write in"
    yield "# place of this list:  discover: [{}]"
    yield "proxies:"
    for _, group in groupby(found.targets, key=lambda target: target.instance_id):
        first, *others = group
        facts = first.facts or Facts()
        yield f"  # {_words(facts.name, facts.instance_status)}".rstrip()
        for target in (first, *others):
            yield from _proxy(target, found)


def _proxy(target: Target, found: FoundFleet) -> Iterator[str]:
    """Its ids, and its name as a label: a run of proxies that are written out asks the cloud for no names."""
    reading = found.versions.get(target.proxy_id)
    version = "version not read" if reading is None else reading.current_version
    yield f"  - instance_id: {json.dumps(target.instance_id)}"
    yield f"    proxy_id: {json.dumps(target.proxy_id)}  # {_words((target.facts or Facts()).proxy_name, version)}"
    if called := target.name:
        yield f"    labels: {{name: {json.dumps(plain(called), ensure_ascii=False)}}}"


def _words(*words: str | None) -> str:
    """What the cloud calls it, on one line of a comment."""
    return plain(", ".join(word for word in words if word))
