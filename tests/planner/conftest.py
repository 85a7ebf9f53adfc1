"""What the planner's tests share: a plan in a temporary folder, ids of the right form, YAML as an editor reads it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.errors import PlanError
from orchestrator.model.plan.plan import Plan
from orchestrator.planner.plan_file.load import load_plan

HEAD = """\
version: 1
region: cn-north-4
project_id: 054e292c9880d4992f02c0196d3ea468
target_version: 2.24.03.000
"""

Load = Callable[..., Plan]
Refused = Callable[..., list[str]]


@pytest.fixture
def instance_id() -> Callable[[int], str]:
    return lambda number: f"{number:032x}in07"


@pytest.fixture
def proxy_id() -> Callable[[int], str]:
    return lambda number: f"{number:032x}po01"


@pytest.fixture
def entry(instance_id: Callable[[int], str], proxy_id: Callable[[int], str]) -> Callable[[int], str]:
    """One line of `proxies`."""
    return lambda number: f"  - {{instance_id: {instance_id(number)}, proxy_id: {proxy_id(number)}}}\n"


@pytest.fixture
def load(tmp_path: Path, entry: Callable[[int], str]) -> Load:
    """Loads a plan with a good head, the text given, and so many proxies."""

    def load(text: str = "", *, proxies: int = 1, head: str = HEAD, overrides: dict[str, str] | None = None) -> Plan:
        listed = "proxies:\n" + "".join(entry(number) for number in range(proxies)) if proxies else ""
        file = tmp_path / "fleet.yaml"
        file.write_text(head + text + ("" if text.endswith("\n") or not text else "\n") + listed, encoding="utf-8")
        return load_plan(file, overrides or {})

    return load


@pytest.fixture
def refused(load: Load, tmp_path: Path) -> Refused:
    """The lines with which a plan is refused, without the folder."""

    def refused(text: str = "", **how: Any) -> list[str]:
        with pytest.raises(PlanError) as caught:
            load(text, **how)
        return [line.replace(f"{tmp_path}/", "") for line in str(caught.value).splitlines()]

    return refused


class _Core(yaml.SafeLoader):
    """YAML as editors read it (1.2 core schema): no dates, no 22:00 as 1320, no `on` as true."""


_Core.yaml_implicit_resolvers = {}
for _tag, _form, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", "n~"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?[0-9]*\.[0-9]+", "-+.0123456789"),
):
    _Core.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_form})$"), list(_first))


@pytest.fixture
def as_editor() -> Callable[[str], Any]:
    return lambda text: yaml.load(text, Loader=_Core)  # noqa: S506  # a safe loader with fewer types
