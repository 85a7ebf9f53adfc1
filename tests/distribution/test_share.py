"""What the wheel brings along: completion of verbs, options, plans and ids in a real bash, and the man page."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.documents import ROOT

sys.path.append(str(ROOT / "distribution"))
share = pytest.importorskip("share", reason="shtab and argparse-manpage are of the group `test`", exc_type=ImportError)

IDS = [f"{number:032x}po01" for number in range(2)]
RUN = "20261127T091537726Z-c7103e"

#: Completes one command line: its words are the arguments, of which the last is completed.
COMPLETE = """
source ./completion
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
_shtab_orchestrator orchestrator "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}" 2> errors
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def shell(tmp_path: Path) -> Path:
    """A folder with the completion, a plan, and a state folder beside it that knows two proxies and a run."""
    if shutil.which("bash") is None:
        pytest.skip("there is no bash")
    (tmp_path / "completion").write_text(share.completion("bash"), encoding="utf-8")
    (tmp_path / "prod.yaml").touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / ".orchestrator/prod/latest").mkdir(parents=True)
    (tmp_path / f".orchestrator/prod/runs/{RUN}").mkdir(parents=True)
    rows = (f'{{"instance_id":"{"5" * 32}in07","proxy_id":"{each}"}}\n' for each in IDS)
    (tmp_path / ".orchestrator/prod/latest/targets.ndjson").write_text("".join(rows), encoding="utf-8")
    return tmp_path


def _completed(folder: Path, *words: str, **environ: str) -> list[str]:
    command = ["bash", "--norc", "-c", COMPLETE, "bash", "orchestrator", *words]
    environ = {"PATH": "/usr/bin:/bin", **environ}
    asked = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=True)
    return asked.stdout.split()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["st"], ["status", "state"]),
        (["rel"], ["release"]),
        (["plan", "prod.yaml", "--off"], ["--offline"]),
        (["plan", "prod.yaml", "--log-level", "w"], ["warning"]),
        (["settle", "prod.yaml", "--outcome", ""], ["succeeded", "failed", "not_sent"]),
        (["run", "p"], ["prod.yaml"]),
        (["run", "n"], []),
        (["explain", "limits.in_f"], ["limits.in_flight"]),
        (["status", "prod.yaml", ""], IDS),
        (["settle", "prod.yaml", IDS[1][:-4]], [IDS[1]]),
        (["report", "prod.yaml", "--run", ""], [RUN]),
    ],
)
def test_bash_completes(words: list[str], found: list[str], shell: Path) -> None:
    assert _completed(shell, *words) == found


def test_ids_are_those_of_the_state_folder_that_is_named(shell: Path) -> None:
    (shell / ".orchestrator").rename(shell / "kept")
    assert _completed(shell, "status", "prod.yaml", "") == []
    assert _completed(shell, "--state", "kept", "status", "prod.yaml", "") == IDS
    assert _completed(shell, "status", "prod.yaml", "", ORCHESTRATOR_STATE=str(shell / "kept")) == IDS


def test_every_shell_and_the_man_page_know_every_verb(tmp_path: Path) -> None:
    made = {path.relative_to(tmp_path).as_posix(): path.read_text("utf-8") for path in share.write_share(tmp_path)}
    assert made.keys() == {*share.COMPLETIONS.values(), share.MAN_PAGE}
    verbs = list(share.parser().verbs.choices)
    for name, text in made.items():
        assert [verb for verb in verbs if verb not in text] == [], name
    assert made[share.MAN_PAGE].startswith(".TH ORCHESTRATOR")


def test_what_is_made_says_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert '"2023\\-11\\-14"' in share.man_page()
    assert share.completion("fish") == share.completion("fish")


def test_the_man_page_is_plain_ascii_for_every_troff() -> None:
    assert share.man_page().isascii()
