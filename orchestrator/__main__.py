"""Entry point of the console script and of `python -m orchestrator`."""

import sys

from orchestrator.app.process.signals import ignore_stops, leave_on_stop

#: `ExitCode.MORE_TO_DO`; its class takes longer to make than `--help` to print.
_MORE_TO_DO = 5


def main() -> int:
    """Run the command line; the result is the exit code. A signal counts from the first moment on."""
    leave_on_stop(_MORE_TO_DO)
    from orchestrator.cli.grammar.command_line import only_prints  # noqa: PLC0415  # as above
    from orchestrator.cli.main import main as run  # noqa: PLC0415  # keeps `--help` fast
    from orchestrator.cli.streams import last_word, patient_streams  # noqa: PLC0415  # as above

    stdout = patient_streams()
    words = sys.argv[1:]
    code = last_word(run(words), stdout, only_prints=only_prints(words))
    ignore_stops()
    return code


if __name__ == "__main__":
    sys.exit(main())
