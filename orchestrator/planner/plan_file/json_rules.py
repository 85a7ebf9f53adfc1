"""The rules between keys, as JSON Schema: what `rules` checks, as far as a schema can say it."""

from typing import Any

from orchestrator.planner.plan_file.names import SAFE_ENDPOINT
from orchestrator.planner.plan_file.numbers import TRUE_TEXTS
from orchestrator.planner.plan_file.schemas.schema_scope import FINDABLE, WHERE
from orchestrator.planner.plan_file.schemas.schema_targets import DEFAULT_SCOPE

_OURS = {"properties": {"scope": {"const": DEFAULT_SCOPE}}}
_NAMED = {"required": ["scope"]}


def _if_set(parent: str, key: str, values: list[object]) -> dict[str, Any]:
    """The plan has one of these values there."""
    inner = {"properties": {key: {"enum": values}}, "required": [key]}
    return {"properties": {parent: inner}, "required": [parent]}


_SCOPES = {
    "if": {"required": ["scopes"]},
    "then": {
        "properties": {
            **{entry.key: False for entry in WHERE},
            "proxies": {"items": _NAMED},
            "discover": {"items": _NAMED},
        }
    },
    "else": {
        **FINDABLE,
        "properties": {
            **{key: {"items": _OURS} for key in ("proxies", "discover", "exclude")},
            "waves": {"items": {"properties": {"select": _OURS}}},
        },
    },
}

_ACCEPTED_ONLY = {
    "if": _if_set("follow", "to", ["accepted"]),
    "then": {
        "properties": {
            "limits": {"properties": {"in_flight": False, "per_label": False}},
            "waves": {"items": {"properties": {"soak": False}}},
            "failures": {"properties": {"mode": {"const": "soft"}}},
        }
    },
}

_SAFE = {"properties": {"endpoint": SAFE_ENDPOINT, "iam_endpoint": SAFE_ENDPOINT}}
_ENCRYPTION = {
    "if": {"not": _if_set("http", "allow_http", [True, *TRUE_TEXTS])},
    "then": {"properties": {**_SAFE["properties"], "scopes": {"additionalProperties": _SAFE}}},
}

RULES: dict[str, Any] = {
    "anyOf": [{"required": [key]} for key in ("proxies", "inventory", "discover")],
    "allOf": [_SCOPES, _ACCEPTED_ONLY, _ENCRYPTION],
}
