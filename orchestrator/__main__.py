"""Entry point of the console script and of `python -m orchestrator`."""

import sys


def main() -> int:
    """Run the command line; the result is the exit code."""
    from orchestrator.cli.main import main as run  # noqa: PLC0415  # keeps `--help` fast
    from orchestrator.cli.streams import last_word, patient_streams  # noqa: PLC0415  # as above

    stdout = patient_streams()
    return last_word(run(sys.argv[1:]), stdout)


if __name__ == "__main__":
    sys.exit(main())
