"""The options of a simulated cloud, as a command has to give them to come to the same one. Pure."""

from collections.abc import Iterator
from pathlib import Path

from orchestrator.simulator.profiles import BUILT_IN


def world_words(seed: int | None, speed: float | None, faults: str | None) -> Iterator[str]:
    """Those that were given.

    Args:
        seed: None where it was not given, as the others.
        speed: divides durations.
        faults: name of a profile, or path of one, which is named so that it is found from any folder.
    """
    if seed is not None:
        yield from ("--seed", str(seed))
    if speed is not None:
        yield from ("--speed", f"{speed!r}".removesuffix(".0"))
    if faults is not None:
        yield from ("--faults", faults if faults in BUILT_IN else str(Path(faults).absolute()))
