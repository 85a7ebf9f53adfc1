"""What a wheel brings along beside the program, made from the grammar of its command line: completions, a man page.

Needs shtab and argparse-manpage. `setup.py` calls it while a wheel is built; see `make dist`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import shtab
from argparse_manpage.manpage import Manpage

from orchestrator import __version__
from orchestrator.cli.grammar import values
from orchestrator.cli.grammar.grammar import parser
from orchestrator.planner.plan_file.explain import keys

#: By shell, where its completion is looked for below the prefix of the installation.
COMPLETIONS = {
    "bash": "share/bash-completion/completions/orchestrator",
    "zsh": "share/zsh/site-functions/_orchestrator",
    "fish": "share/fish/vendor_completions.d/orchestrator.fish",
}
MAN_PAGE = "share/man/man1/orchestrator.1"

#: Prints ids that the state folder knows: of proxies, or of runs. The folder is found as the program finds it, from the
#: words of the command line. It holds neither a single quote nor a backslash, so that every shell takes it in quotes.
_IDS = """
kind=$1; shift
state=$ORCHESTRATOR_STATE; plan=; before=
for word in "$@"; do
  case $word in --state=*) state=${word#--state=} ;; *.yaml|*.yml) plan=$word ;; esac
  if [ "$before" = --state ]; then state=$word; fi
  before=$word
done
if [ -z "$state" ]; then case $plan in */*) state=${plan%/*}/.orchestrator ;; *) state=.orchestrator ;; esac; fi
if [ "$kind" = proxies ]; then
  grep -ohE "[0-9a-f]{32}po01" "$state"/*/latest/targets.ndjson 2>/dev/null | sort -u
else
  for run in "$state"/*/runs/*; do if [ -d "$run" ]; then echo "${run##*/}"; fi; done
fi
"""

#: What `explain` takes: every key of a plan, dotted.
_KEYS = " ".join(".".join(path) for path in keys())

_PREAMBLE = {
    "bash": f"""
_orchestrator_keys() {{ compgen -W "{_KEYS}" -- "$1"; }}
_orchestrator_ids() {{
  compgen -W "$(sh -c '{_IDS}' sh "$1" "${{COMP_WORDS[@]}}")" -- "$2"
}}
_orchestrator_proxies() {{ _orchestrator_ids proxies "$1"; }}
_orchestrator_runs() {{ _orchestrator_ids runs "$1"; }}
""",
    "zsh": f"""
_orchestrator_ids() {{
  compadd -- ${{(f)"$(sh -c '{_IDS}' sh "$1" "${{words[@]}}")"}}
}}
_orchestrator_proxies() {{ _orchestrator_ids proxies; }}
_orchestrator_runs() {{ _orchestrator_ids runs; }}
""",
    "fish": f"""
function _orchestrator_ids
  sh -c '{_IDS}' sh $argv[1] (commandline -opc)
end
""",
}

_PROXIES = {"bash": "_orchestrator_proxies", "zsh": "_orchestrator_proxies", "fish": "(_orchestrator_ids proxies)"}
_RUNS = {"bash": "_orchestrator_runs", "zsh": "_orchestrator_runs", "fish": "(_orchestrator_ids runs)"}
_EXPLAINED = {"bash": "_orchestrator_keys", "zsh": f"({_KEYS})", "fish": _KEYS}
_PLANS = ("*.yaml", "*.yml")


def write_share(folder: Path) -> list[Path]:
    """Write everything below a folder, as it is to lie below the prefix; returns the files."""
    texts = {COMPLETIONS[shell]: completion(shell) for shell in COMPLETIONS} | {MAN_PAGE: man_page()}
    for place, text in texts.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [folder / place for place in texts]


def completion(shell: str) -> str:
    """The completion for a shell."""
    program = parser()
    for verb, action in _actions(program):
        completes = _completes(verb, action)
        if completes is not None:
            action.complete = completes  # type: ignore[attr-defined]  # where shtab looks for it
    preamble: Any = _PREAMBLE  # of which each shell takes its own
    return str(shtab.complete(program, shell, preamble=preamble)) + "\n"


def man_page() -> str:
    """The man page, in troff."""
    data = {
        "project_name": "orchestrator",
        "prog": "orchestrator",
        "version": __version__,
        "description": "upgrade the kernels of a fleet of TaurusDB Database Proxy instances",
        "manual_title": "User Commands",
    }
    text = str(Manpage(parser(), data, format="pretty"))
    return "".join(char if char.isascii() else f"\\[u{ord(char):04X}]" for char in text)  # as every troff reads it


def _actions(program: Any) -> Iterator[tuple[str, argparse.Action]]:
    """Every option and word, each with its verb."""
    yield from (("", action) for action in program._actions)  # noqa: SLF001  # argparse has no other way
    for verb, each in program.verbs.choices.items():
        yield from ((verb, action) for action in each._actions)  # noqa: SLF001  # as above


def _completes(verb: str, action: argparse.Action) -> Any:
    by_name = {
        "plan": shtab.glob(*_PLANS, *(("*.json",) if verb == "run" else ())),
        "moved_from": shtab.glob(*_PLANS),
        "proxy_id": _PROXIES,
        "run_id": _RUNS,
        "key": _EXPLAINED,
        "state": shtab.DIRECTORY,
    }
    return by_name.get(action.dest, shtab.FILE if action.type in (values.path, values.file_name) else None)
