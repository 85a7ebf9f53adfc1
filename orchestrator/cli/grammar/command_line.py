"""What holds of every command line, for the first look and for the parser. Imports nothing that takes time."""

from __future__ import annotations

from orchestrator.cli.grammar.words import FLAGS, OPTIONS

TYPE_CHECKING = False  # as `typing` has it, whose import would take longer than the rest
if TYPE_CHECKING:
    from collections.abc import Collection

PROGRAM = "orchestrator"

#: Words that are answered wherever they stand.
HELP = ("-h", "--help")
VERSION = "--version"

#: Verbs that print, and do nothing else.
READERS = frozenset({"plan", "status", "report", "runs", "doctor", "explain", "schema"})

#: Options that mean something only beside another one. Without it they would be silently ignored, and the run would be
#: a real one.
_COMPANIONS = {
    "simulate": ("seed", "speed", "faults"),
    "dry_run": ("offline", "forecast", "format", "out"),
}

#: Options of what a run writes, which a dry run does not.
_OF_RUNS = ("report", "metrics")

#: Verbs that need no companion.
_AT_HOME = {"simulate": ("simulate",), "dry_run": ("plan", "report", "status", "runs", "doctor")}


_MISSING = "the following arguments are required: "
#: Why a word has to be there.
_WHY = {
    "--note": "say why, in a few words: it is kept with your name and the time, for those who read the run later",
    "--outcome": "say what became of it: succeeded, failed or not_sent",
    "--from": "say where the plan was",
    "PLAN": "name the plan file",
    "PROXY_ID": "name the proxy by its id, the beginning of it, or its name",
}


def verb_first(arguments: list[str]) -> list[str]:
    """The same command line with the verb in front of options that stand before it."""
    place = 0
    while place < len(arguments) and arguments[place].startswith("-"):
        if arguments[place] in (*HELP, VERSION):
            return arguments
        place += 1 if arguments[place] in FLAGS or "=" in arguments[place] else 2
    return [*arguments[place : place + 1], *arguments[:place], *arguments[place + 1 :]]


def only_prints(arguments: list[str]) -> bool:
    """Whether a command line asks for nothing but text on standard output."""
    words = verb_first(arguments)
    return words[0] in READERS or "--dry-run" in words or words[0].startswith("-") if words else True


def missing(names: Collection[str]) -> str:
    """What is wrong when these words of a command line are not there, as `argparse` says it too; see `mistake`."""
    return f"{_MISSING}{', '.join(names)}"


def mistake(message: str, prog: str) -> str:
    """What is printed of a mistake; `prog` is the program, perhaps with the verb."""
    names = message.removeprefix(_MISSING)
    if names == message:
        return f"orchestrator: {message}\nhint: {prog} --help\n"
    reasons = [_WHY[name] for name in names.split(", ") if name in _WHY]
    why = f": {'; '.join(reasons)}" if reasons else ""
    return f"orchestrator: {names} {'are' if ', ' in names else 'is'} missing{why}\nhint: {_example(prog)}\n"


def _example(prog: str) -> str:
    """A command line as it should be, from the help of the verb; where no verb is named, how to come to the help."""
    if prog == PROGRAM:
        return f"{prog} --help"
    first = help_text(prog).partition("examples:\n")[2].split("\n")[0].strip()
    return f"such as: {first.partition('    ')[0]}"


def lonely(verb: str, given: Collection[str]) -> str | None:
    """What is wrong when an option is given without the one it goes with, or with one beside which it does nothing.

    Args:
        verb: that is asked for.
        given: the options, with underscores.
    """
    for companion, names in _COMPANIONS.items():
        if verb not in _AT_HOME[companion] and companion not in given:
            for name in names:
                if name in given:
                    return f"argument --{name}: goes with --{companion.replace('_', '-')}"
    if "dry_run" in given:
        for name in _OF_RUNS:
            if name in given:
                return f"argument --{name}: a dry run has none to write; --format prints its preview, --out saves it"
    return None


def too_much(word: str, verb: str) -> str:
    """What is wrong with a word that a verb does not take."""
    from orchestrator.cli.grammar.values import cut, unknown  # noqa: PLC0415  # only when something is wrong

    option = word.partition("=")[0]
    if not option.startswith("-"):
        return f"{cut(word)!r} is one word too many for {verb}"
    if others := [name for name, options in OPTIONS.items() if option in options]:
        return f"{verb}: takes no {option}, which is an option of {', '.join(others)}"
    return f"{verb}: {unknown(option, tuple(OPTIONS[verb]))}"


def help_text(prog: str) -> str:
    """What `--help` prints, which `make words` has written."""
    name = prog.rpartition(" ")[2]
    with open(f"{__file__.rpartition('/')[0]}/help/{name}.txt", encoding="utf-8") as file:  # noqa: PTH123  # `pathlib` takes too long
        return file.read()
