"""Mappings with known keys: the declaration from which both the reading and the JSON Schema of a plan come."""

from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec import Struct, field

from orchestrator.planner.reading.nodes import Mapping, Node, Scalar
from orchestrator.planner.reading.problems import At, Problems
from orchestrator.planner.reading.shapes import BAD, Shape, kind, unique_keys
from orchestrator.spoken import nearest

SECRET_KEYS = frozenset(
    {"password", "passwd", "token", "secret", "secret_key", "access_key", "ak", "sk", "security_token", "x_auth_token"}
)
#: So many places where a key may belong are named.
_HOMES = 3
WHERE_SECRETS_BELONG = (
    "a plan holds no secrets; keep it in an environment variable or a file and name that: auth: {token_env: NAME}, "
    "{token_file: PATH}, {user: …, domain: …, password_env: NAME} or {access_key_env: …, secret_key_env: …}"
)


def _belongs(name: str, homes: list[str], *, nested: bool) -> str:
    """Where a key belongs that stands in the wrong mapping."""
    if name in homes:
        return "it belongs to the top level" + (", so it is indented too far" if nested else "")
    return f"it belongs to {' or '.join(home.rpartition('.')[0] for home in homes[:_HOMES])}"


class Field(Struct, frozen=True, kw_only=True):
    """One key of a mapping.

    Attributes:
        key: as the plan writes it.
        doc: one sentence for the reader of the schema.
        attr: the value's attribute, where it is not called like the key.
        default: what holds when the key is absent, as a plan would write it; None when nothing does.
        example: what one might write.
        mistaken: what people write for it who know other programs.
    """

    key: str
    shape: Shape
    doc: str
    attr: str = ""
    required: bool = False
    default: Any = None
    example: Any = None
    mistaken: tuple[str, ...] = ()

    def json(self) -> dict[str, Any]:
        """The key's JSON Schema."""
        schema = {**self.shape.json(), "description": self.doc}
        if self.default is not None:
            schema["default"] = self.default
        if self.example is not None:
            schema["examples"] = [self.example]
        return schema


class Found(Struct, frozen=True, kw_only=True):
    """What was read of a mapping, for checks that look at several keys.

    Attributes:
        values: by attribute, the good ones only.
        places: by key, where each key that was written stands, good or not.
    """

    node: Mapping
    at: At
    values: dict[str, Any]
    places: dict[str, Scalar]
    problems: Problems

    def add(self, key: str, message: str) -> None:
        """Record a problem of a key: where it stands, or at the mapping when it is absent."""
        self.problems.add(self.places.get(key, self.node), (self.at, key), message)


class Record(Struct, frozen=True, kw_only=True):
    """A mapping with known keys, as a value.

    Attributes:
        build: makes the value from the attributes that were written.
        check: looks at several keys at once and records what does not fit.
        extra: JSON Schema of what `check` looks at, as far as it can be said.
        secretive: never repeat a text that stands in place of the mapping.
    """

    build: Callable[..., Any]
    fields: tuple[Field, ...]
    check: Callable[[Found], None] | None = None
    extra: dict[str, Any] = {}
    secretive: bool = False
    by_key: dict[str, Field] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.by_key.update((entry.key, entry) for entry in self.fields)
        self.required.update(entry.key for entry in self.fields if entry.required)

    def read(self, node: Node, at: At, problems: Problems) -> Any:
        """See `Shape`."""
        if not isinstance(node, Mapping):
            got = "text" if self.secretive and isinstance(node, Scalar) else kind(node)
            problems.add(node, at, f"expected keys such as {self.fields[0].key}, got {got}")
            return BAD
        before = len(problems)
        pairs = unique_keys(node, at, problems)
        values = self._values(pairs, at, problems)
        if not self.required <= pairs.keys():
            for name in self.required - pairs.keys():
                problems.add(node, (at, name), "is required")
        if self.check:
            places = {name: key for name, (key, _) in pairs.items()}
            self.check(Found(node=node, at=at, values=values, places=places, problems=problems))
        return self.build(**values) if len(problems) == before else BAD

    def _values(self, pairs: dict[str, tuple[Scalar, Node]], at: At, problems: Problems) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, (key, value) in pairs.items():
            known = self.by_key.get(name)
            if known is None:
                problems.add(key, (at, name), partial(self._unknown, name, at, problems))
            elif (good := known.shape.read(value, (at, name), problems)) is not BAD:
                values[known.attr or name] = good
        return values

    def _unknown(self, name: str, at: At, problems: Problems) -> str:
        if name.lower().replace("-", "_") in SECRET_KEYS:
            return WHERE_SECRETS_BELONG
        if homes := problems.homes(name):
            return f"unknown key here; {_belongs(name, homes, nested=at is not None)}"
        meant = (entry.key for entry in self.fields if name.lower() in entry.mistaken)
        near = next(meant, None) or nearest(name, list(self.by_key))
        return f"unknown key; did you mean {near}?" if near else f"unknown key; known are {', '.join(self.by_key)}"

    def json(self) -> dict[str, Any]:
        """See `Shape`."""
        schema: dict[str, Any] = {
            "type": "object",
            "additionalProperties": False,
            "properties": {entry.key: entry.json() for entry in self.fields},
        }
        if required := [entry.key for entry in self.fields if entry.required]:
            schema["required"] = required
        return {**schema, **self.extra}
