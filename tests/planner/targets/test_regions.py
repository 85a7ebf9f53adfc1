"""An unknown region is found when the plan is checked, without any network, and told with its place."""

from pathlib import Path

import pytest

from orchestrator.errors import PlanError
from orchestrator.planner.plan_file.load import load_plan
from orchestrator.planner.targets.regions import check_regions

_REST = """\
target_version: 2.24.03.000
proxies:
- {scope: %s, instance_id: 517ea793ab91438cbfcd9c4b1c958b1ein07, proxy_id: 0f46fc46396e4fb19a0cb52f578e9511po01}
"""


def check(folder: Path, head: str, *, scope: str = "default", environ: dict[str, str] | None = None) -> None:
    path = folder / "prod.yaml"
    path.write_text(f"version: 1\n{head}\n{_REST % scope}")
    check_regions(load_plan(path), environ or {})


def test_a_region_that_nobody_knows_is_told_with_its_place_and_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"prod\.yaml:2:9: region: unknown region 'cn-moon-1'; known .*cn-north-4"):
        check(tmp_path, "region: cn-moon-1")
    several = "scopes:\n  a: {region: cn-north-4}\n  b: {region: cn-moon-1}"
    with pytest.raises(PlanError, match=r"prod\.yaml:4:15: scopes\.b\.region: unknown region"):
        check(tmp_path, several, scope="a")


@pytest.mark.parametrize(
    ("head", "environ"),
    [
        ("region: cn-north-4", {}),
        ("region: cn-moon-1\nendpoint: https://gaussdb.example", {}),
        ("region: cn-moon-1", {"HUAWEICLOUD_SDK_REGION_GAUSSDB_CN_MOON_1": "https://gaussdb.example"}),
    ],
)
def test_a_known_region_an_endpoint_or_the_environment_will_do(
    tmp_path: Path, head: str, environ: dict[str, str]
) -> None:
    check(tmp_path, head, environ=environ)
