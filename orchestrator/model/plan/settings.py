"""What of a plan may change between the sessions of a run, what may not, and both compared in the plan's own words.

A run keeps its frozen plan, and beside it the settings of its latest session; both together are the plan in force.
"""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from orchestrator.model.plan.amount import Amount, Rate
from orchestrator.model.plan.auth import Auth
from orchestrator.model.plan.health_gate import HealthGate
from orchestrator.model.plan.metric import CloudEye
from orchestrator.model.plan.plan import (
    Capacity,
    Failures,
    Follow,
    Freeze,
    Http,
    ImpactSource,
    Limits,
    Metrics,
    Notify,
    Plan,
    Retry,
    Scope,
    Window,
)
from orchestrator.model.reply.cloud_event import CloudEvents


class ScopeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What may change of one scope."""

    iam_endpoint: str | None = None
    vpc_endpoint: str | None = None
    auth: Auth = Auth()
    rate: Rate | None = None
    max_failures: Amount | None = None
    max_rejected: Amount | None = None
    hosts: tuple[str, ...] = ()


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What may change of a plan; `scopes` by name."""

    limits: Limits
    failures: Failures
    windows: tuple[Window, ...] | Literal["instance"]
    freezes: tuple[Freeze, ...]
    fit: bool
    follow: Follow
    retry: Retry
    http: Http
    language: Literal["en-us", "zh-cn"]
    scopes_required: Literal["any", "all"]
    capacity: Capacity | None = Capacity()
    cloud_events: CloudEvents = "off"
    gates: tuple[HealthGate, ...] = ()  # not in settings of before there were gates
    scopes: dict[str, ScopeSettings]
    impact: ImpactSource = "off"
    cloud_eye: CloudEye = CloudEye()
    metrics: Metrics = Metrics()
    notify: tuple[Notify, ...] = ()


#: Keys of a plan that are taken over as they are; the scopes are taken apart.
_KEYS = tuple(field for field in Settings.__struct_fields__ if field != "scopes")
#: Keys of a plan that need `--new`, beside the scopes, in the order of the plan file.
_FROZEN = ("target_version", "source_versions", "proxies", "inventory", "discover", "exclude", "expect", "waves")
_WRITTEN_AS = {"source_versions": "source_version"}
_MANY = 3


def settings_of(plan: Plan) -> Settings:
    """The part of a plan that may change."""
    scopes = {scope.name: _scope_settings(scope) for scope in plan.scopes}
    return Settings(scopes=scopes, **{key: getattr(plan, key) for key in _KEYS})


def in_force(frozen: Plan, settings: Settings) -> Plan:
    """The plan of a run as a session with these settings sees it."""
    scopes = tuple(
        msgspec.structs.replace(scope, **_fields(settings.scopes[scope.name]))
        if scope.name in settings.scopes
        else scope
        for scope in frozen.scopes
    )
    written = frozen.written | (
        {"follow.expected"} if settings.follow.expected_s != frozen.follow.expected_s else set()
    )
    kept = {key: getattr(settings, key) for key in _KEYS}
    return msgspec.structs.replace(frozen, scopes=scopes, written=written, **kept)


def settings_changed(before: Plan, now: Plan) -> dict[str, str]:
    """What differs of all that may change, by dotted key of the plan file, as `old -> new`."""
    old, new = _flat(settings_of(before)), _flat(settings_of(now))
    return {key: f"{old.get(key, '-')} -> {new.get(key, '-')}" for key in new | old if old.get(key) != new.get(key)}


def changes_between(frozen: Plan, now: Plan) -> list[str]:
    """What differs of all that needs a new run, one sentence each, with the plan file's keys; empty for nothing.

    Inventory files and discoveries are compared as they are written in the plan, not by what they hold. A project_id
    or endpoint that the plan leaves to be found out is no change.
    """
    changes = [_change(key, getattr(frozen, key), getattr(now, key)) for key in _FROZEN]
    return [change for change in changes if change] + list(_scope_changes(frozen.scopes, now.scopes))


def _change(key: str, old: Any, new: Any) -> str | None:
    if old == new:
        return None
    name = _WRITTEN_AS.get(key, key)
    if key == "proxies":
        return f"{name}: {_difference([t.proxy_id for t in old], [t.proxy_id for t in new])}"
    if key == "waves":
        return f"{name}: {_waves_change(old, new)}"
    return f"{name}: was {_text(old)}, is {_text(new)}"


def _waves_change(old: Any, new: Any) -> str:
    names, now = [wave.name for wave in old], [wave.name for wave in new]
    if names != now:
        return f"were {', '.join(names)}, are {', '.join(now)}"
    changed = (was.name for was, wave in zip(old, new, strict=True) if was != wave)
    return f"changed: {', '.join(changed)}"


def _difference(old: list[str], new: list[str]) -> str:
    added, removed = _without(new, old), _without(old, new)
    if added or removed:
        return ", ".join(f"{_some(ids)} {verb}" for ids, verb in ((added, "added"), (removed, "removed")) if ids)
    return "in another order, or with other instances, labels or versions"


def _without(ids: list[str], others: list[str]) -> list[str]:
    known = set(others)
    return [each for each in ids if each not in known]


def _some(ids: list[str]) -> str:
    more = f" and {len(ids) - _MANY} more" if len(ids) > _MANY else ""
    return ", ".join(ids[:_MANY]) + more


def _scope_changes(old: tuple[Scope, ...], new: tuple[Scope, ...]) -> Iterator[str]:
    were, are = {scope.name: scope for scope in old}, {scope.name: scope for scope in new}
    if were.keys() != are.keys():
        yield f"scopes: were {', '.join(were)}, are {', '.join(are)}"
        return
    for name, was in were.items():
        scope = are[name]
        if scope.region != was.region:
            yield f"scopes.{name}.region: was {was.region}, is {scope.region}"
        for key in ("project_id", "endpoint"):
            before, after = getattr(was, key), getattr(scope, key)
            if after is not None and after != before:
                yield f"scopes.{name}.{key}: was {before or 'left to be found out'}, is {after}"


def _scope_settings(scope: Scope) -> ScopeSettings:
    return ScopeSettings(**{key: getattr(scope, key) for key in ScopeSettings.__struct_fields__})


def _fields(struct: msgspec.Struct) -> dict[str, Any]:
    return {key: getattr(struct, key) for key in struct.__struct_fields__}


def _flat(settings: Settings) -> dict[str, str]:
    """Every setting as text, by dotted key; of `scopes`, `limits` and their like one level deeper."""
    flat: dict[str, str] = {}
    for key, value in _fields(settings).items():
        flat.update(_leaves(key, value))
    return flat


def _leaves(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and key == "scopes":
        for name, scope in value.items():
            yield from _leaves(f"{key}.{name}", scope)
    elif isinstance(value, msgspec.Struct) and not isinstance(value, Amount | Auth):
        for field, inner in _fields(value).items():
            seconds = field.endswith("_s")
            yield f"{key}.{field.removesuffix('_s')}", f"{inner:g}s" if seconds else _text(inner)
    else:
        yield key, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, Amount):
        return str(value)
    return msgspec.json.encode(value).decode()
