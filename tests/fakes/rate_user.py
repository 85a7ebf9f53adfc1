"""A process that takes every slot it gets of a rate that hosts share, and says when; a host of its own by TMPDIR.

`python -m fakes.rate_user ADDRESS RATE`: a line with the monotonic seconds of each slot, until it is killed.
"""

import sys
import time
from pathlib import Path

from fakes.databases import state_in

from orchestrator.executor.rate.shared_pacer import SharedPacer


def _warn(why: str) -> None:
    sys.stderr.write(why)


def main(address: str, rate: float) -> None:
    state = state_in(address, Path())
    place = state.shared_rate("k", creates=True, monotonic=time.monotonic, warn=_warn)
    pacer, waited = SharedPacer(place, "me", rate), False
    while True:
        now_s = time.monotonic()
        delay_s = pacer.claim(now_s, waited=waited)
        waited = delay_s > 0
        if waited:
            time.sleep(delay_s)
        else:
            sys.stdout.write(f"{now_s}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
