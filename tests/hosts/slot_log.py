"""The program, with a note of the instant of each slot that it takes: `python -m hosts.slot_log FILE run PLAN …`.

When a call arrives says little of a rate on a busy machine: one that was sent in time is late, and the next is not.
"""

import sys
from pathlib import Path

from orchestrator.cli.main import main
from orchestrator.executor.rate.shared_pacer import SharedPacer

_claim = SharedPacer.claim


def noted(path: Path) -> None:
    """From now on, note in a file when slots are taken: by the clock that all processes of a machine share."""
    notes = path.open("w", buffering=1, encoding="utf-8")

    def claim(pacer: SharedPacer, now_s: float, *, waited: bool) -> float:
        delay_s = _claim(pacer, now_s, waited=waited)
        if not delay_s:
            notes.write(f"{now_s}\n")
        return delay_s

    setattr(SharedPacer, "claim", claim)


def slots(folder: Path) -> list[float]:
    """All that was noted in the files of a folder. A process that was killed as it noted one has noted a part."""
    lines = [line for path in folder.glob("*.slots") for line in path.read_text(encoding="utf-8").split("\n")[:-1]]
    return sorted(map(float, lines))


if __name__ == "__main__":
    noted(Path(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
