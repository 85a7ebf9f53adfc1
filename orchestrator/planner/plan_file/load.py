"""Reads a plan file into a `Plan`, or names every problem at once. Nothing of the plan is typed or checked later."""

import os
from collections.abc import Mapping as AnyMapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

from msgspec import structs

from orchestrator.errors import PlanError
from orchestrator.host import is_lasting, open_to_read, path_of, path_text
from orchestrator.model.plan.plan import Plan, Scope
from orchestrator.model.plan.settings import settings_changed
from orchestrator.pattern import pattern
from orchestrator.planner.plan_file.names import FLEET_NAME
from orchestrator.planner.plan_file.overrides import override
from orchestrator.planner.plan_file.proxies import ProxyFold
from orchestrator.planner.plan_file.rules import check_plan, scope_names
from orchestrator.planner.plan_file.schema import PLAN
from orchestrator.planner.plan_file.schemas.schema_scope import WHERE, make_scope
from orchestrator.planner.plan_file.schemas.schema_targets import DEFAULT_SCOPE
from orchestrator.planner.reading.mapping import Found
from orchestrator.planner.reading.nodes import Folded, Mapping, Sequence, written_keys
from orchestrator.planner.reading.problems import Problems
from orchestrator.planner.reading.shapes import BAD
from orchestrator.planner.reading.yaml_nodes import read_yaml
from orchestrator.planner.reading.yaml_problems import YamlProblem

MAX_BYTES = 256 * 1024 * 1024
_CHUNK = 1024 * 1024

#: How each saved preview begins.
_SAVED_PREVIEW = pattern(rb'\s*\{\s*"schema"\s*:\s*"orchestrator\.saved-preview/')


def load_plan(path: Path, overrides: AnyMapping[str, str] = MappingProxyType({})) -> Plan:
    """The plan of a file.

    Args:
        path: of the plan file; relative paths in the plan start from its folder.
        overrides: dotted keys and YAML values that stand in for what the file says, as from `--set`.

    Raises:
        PlanError: the file cannot be read, or is no plan; one line for each problem.
    """
    return plan_of(read_bytes(path), path, overrides)


def plan_of(data: bytes, path: Path, overrides: AnyMapping[str, str] = MappingProxyType({})) -> Plan:
    """The plan that these bytes are, as if they were those of the file.

    Raises:
        PlanError: they are no plan; one line for each problem.
    """
    if _SAVED_PREVIEW.match(data):
        raise PlanError(f"{path}: is a saved preview, which only `run` takes", hint="name the plan itself")
    problems = Problems(str(path), homes=_homes)
    proxies = ProxyFold(problems)
    filed = _tree(data, proxies, problems)
    root = override(filed, overrides, problems)
    values = _values(root, proxies, problems)
    name = values.get("name") or _stem(path, problems)
    if len(problems):
        raise PlanError("\n".join(problems.lines()))
    plan = _plan(values, path, name=name, sha256=_sha256(data), written=written_keys(root))
    return structs.replace(plan, set=_set(filed, plan, overrides)) if overrides else plan


def _set(filed: Mapping, plan: Plan, overrides: AnyMapping[str, str]) -> dict[str, str]:
    """What the overrides change of what the file says, as `old -> new`."""
    values = structs.replace(PLAN, check=None).read(filed, None, Problems(plan.path))
    if values is BAD:  # it is a plan only with them
        return {key: f"- -> {text}" for key, text in overrides.items()}
    return settings_changed(_plan(values, path_of(plan.path), name=plan.name, sha256=plan.sha256), plan)


def _homes(name: str) -> list[str]:
    """Every place of a plan where a key of this name may stand."""
    from orchestrator.planner.plan_file.explain import keys  # noqa: PLC0415  # only when something is wrong

    return [".".join(each) for each in keys() if each[-1] == name]


def is_saved_preview(path: Path) -> bool:
    """Whether a file is a preview that was saved by `plan --out`, and no plan."""
    try:
        if not is_lasting(path):
            return False
        with open(path, "rb", opener=open_to_read) as file:
            return _SAVED_PREVIEW.match(file.read(_CHUNK)) is not None
    except (OSError, ValueError):
        return False


def read_bytes(path: Path) -> bytes:
    """The bytes of a plan file.

    Raises:
        PlanError: it is not there, not a file, not readable, or far too large.
    """
    try:
        with open(path, "rb", opener=open_to_read) as file:
            data = _read(file)
    except FileNotFoundError:
        raise PlanError(f"{path}: there is no such plan file") from None
    except IsADirectoryError:
        raise PlanError(f"{path}: is a folder, not a plan file") from None
    except (OSError, ValueError) as error:
        raise PlanError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MAX_BYTES:
        hint = "move the targets to an NDJSON inventory, which may have any size"
        raise PlanError(f"{path}: is larger than {MAX_BYTES // 1024 // 1024} MiB", hint=hint)
    return data


def _read(file: BinaryIO) -> bytes:
    """In chunks: a file that is read at once takes the memory of the largest one that is allowed."""
    chunks, size = [], 0
    while size <= MAX_BYTES and (chunk := file.read(_CHUNK)):
        chunks.append(chunk)
        size += len(chunk)
    return b"".join(chunks)


def _tree(data: bytes, proxies: ProxyFold, problems: Problems) -> Mapping:
    try:
        root = read_yaml(data, {"proxies": proxies})
    except YamlProblem as problem:
        problems.at_place(problem.line, problem.column, str(problem))
    else:
        if isinstance(root, Mapping):
            return _fold_late(root, proxies)
        empty = "is empty" if root is None else "expected keys and values"
        problems.at_place(1, 1, f"{empty}; the smallest plan has version, region, project_id, target_version, proxies")
    raise PlanError("\n".join(problems.lines()))


def _fold_late(root: Mapping, proxies: ProxyFold) -> Mapping:
    """A list of proxies that is an alias, or has an anchor, could not be folded while it was read."""
    entries = [
        (key, Folded([proxies(item, index) for index, item in enumerate(node.items)], node.line, node.column))
        if key.text == "proxies" and isinstance(node, Sequence)
        else (key, node)
        for key, node in root.entries
    ]
    return Mapping(entries, root.line, root.column)


def _values(root: Mapping, proxies: ProxyFold, problems: Problems) -> dict[str, Any]:
    def check(found: Found) -> None:
        check_plan(found)
        several = "scopes" in found.places
        proxies.check(scope_names(found), found.values.get("target_version"), several=several)

    values = structs.replace(PLAN, check=check).read(root, None, problems)
    return {} if values is BAD else values


def _stem(path: Path, problems: Problems) -> str:
    if not is_lasting(path):
        problems.at_place(1, 1, "name: a plan that is read from a pipe needs one; no file name can stand in for it")
        return ""
    try:
        return str(FLEET_NAME.parse(path.stem))
    except ValueError:
        wrong = f'the file\'s stem "{path.stem}" cannot be the name of a fleet and its folder; write a name of your own'
        problems.at_place(1, 1, f"name: {wrong}")
        return ""


def _plan(values: dict[str, Any], path: Path, **known: Any) -> Plan:
    base = path.absolute().parent
    values = {**values, **known, "path": path_text(str(path.absolute()))}
    values.pop("version")
    values["scopes"] = tuple(_located_scope(scope, base) for scope in _scopes(values))
    values["inventory"] = tuple(located(name, base) for name in values.get("inventory", ()))
    if http := values.get("http"):
        values["http"] = _located(http, base, "ca_file")
    if metrics := values.get("metrics"):
        values["metrics"] = _located(metrics, base, "textfile")
    plan = Plan(**values)
    if plan.follow.to == "accepted":
        # Nothing is in flight that could be seen, so there is nothing for strict mode to bound.
        return structs.replace(plan, failures=structs.replace(plan.failures, mode="soft"))
    return plan


def _scopes(values: dict[str, Any]) -> list[Scope]:
    here = {entry.key: values.pop(entry.key) for entry in WHERE if entry.key in values}
    if "scopes" not in values:
        return [make_scope(DEFAULT_SCOPE, here)]
    return [make_scope(name, scope) for name, scope in values["scopes"].items()]


def _located_scope(scope: Scope, base: Path) -> Scope:
    return structs.replace(scope, auth=_located(scope.auth, base, "token_file", "password_file"))


def _located(value: Any, base: Path, *attributes: str) -> Any:
    changes = {name: located(text, base) for name in attributes if (text := getattr(value, name)) is not None}
    return structs.replace(value, **changes) if changes else value


def located(text: str, base: Path) -> str:
    """The absolute path of a file that a plan names, as text: relative to the plan's folder, `~` is the home folder."""
    return path_text(os.path.normpath(base / os.path.expanduser(text)))  # noqa: PTH111  # Path refuses an unknown home


def _sha256(data: bytes) -> str:
    from hashlib import sha256  # noqa: PLC0415  # kept out of the import time of verbs that read no plan

    return sha256(data).hexdigest()
