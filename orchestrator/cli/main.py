"""From the command line to the exit code. Whatever can be answered at once is answered before anything is imported."""

from __future__ import annotations

from orchestrator.cli.grammar.first_look import first_look

TYPE_CHECKING = False  # as `typing` has it, whose import would take longer than the rest
if TYPE_CHECKING:
    from orchestrator.cli.grammar.first_look import SaidAtOnce


def main(arguments: list[str]) -> int:
    """Run one command line and return its exit code. No input makes it show a traceback."""
    if (answer := first_look(arguments)) is not None:
        return _give(answer)
    from orchestrator.cli.run_verb import run_verb  # noqa: PLC0415  # not needed for an answer

    return run_verb(arguments)


def _give(answer: SaidAtOnce) -> int:
    from orchestrator.cli.terminal import tell, write  # noqa: PLC0415  # only for an answer

    lines = answer.text.splitlines()
    if answer.code:
        for line in lines:
            tell(line)
    else:
        write(lines)
    return answer.code
