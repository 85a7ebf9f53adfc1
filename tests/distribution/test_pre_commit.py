"""The hook for repositories that keep plans, run as pre-commit runs it: its words, then the files."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import yaml
from fakes.documents import ROOT
from fakes.e2e import Desk, sim_targets

(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))


def _checked(*plans: Path) -> tuple[int, str]:
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    command = [*shlex.split(HOOK["entry"]), *map(str, plans)]
    done = subprocess.run(command, env={"PATH": path, "HOME": "/"}, capture_output=True, text=True, check=False)
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_it_checks_every_plan_and_names_each_mistake(tmp_path: Path) -> None:
    good = Desk(tmp_path, targets=sim_targets(1)).write()
    bad = Desk(tmp_path, name="bad", targets=sim_targets(1)).write(endpont="x")
    code, said = _checked(bad, good)
    assert code == 2
    assert re.search(r"bad.yaml:\d+:\d+: endpont: unknown key; did you mean endpoint\?", said)
    assert "prod" not in said
    assert _checked(good) == (0, "")


def test_it_looks_at_the_plans_of_a_repository_that_has_a_folder_for_them() -> None:
    assert HOOK["types"] == ["yaml"]
    assert [bool(re.search(HOOK["files"], name)) for name in ("plans/a.yaml", "x/plans/a.yml", "ci.yaml")] == [1, 1, 0]
