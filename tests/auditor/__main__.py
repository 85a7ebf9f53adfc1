"""`PYTHONPATH=tests python -m auditor RUN_FOLDER`: says whether every claim of a report is backed. Exit 1 when not."""

import sys
from pathlib import Path

from auditor.audit import audit


def main(words: list[str]) -> int:
    """Audit one run."""
    if len(words) != 1:
        sys.stderr.write("one argument: the folder of a run, with its journal.ndjson and report.json\n")
        return 2
    problems = audit(Path(words[0]))
    for problem in problems:
        sys.stdout.write(problem + "\n")
    sys.stdout.write(f"claims without a line: {len(problems) or 'none'}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
