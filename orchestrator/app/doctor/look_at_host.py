"""What this host has to offer: the disk of the state, the fleet's name and lock, open files."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from orchestrator.app.doctor.diagnosis import Diagnosis, attempt
from orchestrator.app.process.open_files import FileRoom, make_room
from orchestrator.host import path_of
from orchestrator.model.plan.plan import Plan
from orchestrator.tracker.state_store import DiskTrial, State

#: Every attempt waits for the disk once; with this pause it is the disk that sets the pace.
_SLOW_S = 0.5
#: A journal is about 5 kB a proxy; less than this is soon gone.
_FEW_BYTES = 100 * 1_000_000

_HOST = "host"


def look_at_host(plan: Plan, state: State, monotonic: Callable[[], float]) -> Iterator[Diagnosis]:
    """What there is to say of this host."""
    yield attempt(_HOST, "disk", lambda: disk(str(state), state.try_write(monotonic)))
    yield attempt(_HOST, "fleet", partial(_fleet, plan, state))
    yield attempt(_HOST, "lock", lambda: lock(state.fleet(plan.name).holder()))
    yield attempt(_HOST, "open files", lambda: open_files(make_room(plan)))
    if plan.metrics.textfile is not None:
        yield metrics(path_of(plan.metrics.textfile))


def disk(place: str, trial: DiskTrial) -> Diagnosis:
    """Whether the state can be kept."""
    free = "" if trial.free_bytes is None else f", {trial.free_bytes / 1e9:.1f} GB free"
    words = f"{place}: written and on disk after {trial.seconds * 1000:.0f} ms{free}"
    if trial.free_bytes is not None and trial.free_bytes < _FEW_BYTES:
        return Diagnosis(
            _HOST, "disk", "wrong", words, "free some space, or name a folder on another disk with --state"
        )
    if trial.seconds > _SLOW_S:
        return Diagnosis(_HOST, "disk", "wrong", words, "name a folder on a local disk with --state")
    return Diagnosis(_HOST, "disk", "well", words)


def _fleet(plan: Plan, state: State) -> Diagnosis:
    state.fleet(plan.name, writes=True).expect_owner(path_of(plan.path))
    return Diagnosis(_HOST, "fleet", "well", f"no other plan has the name {plan.name}, and no other user its folder")


def lock(holder: str | None) -> Diagnosis:
    """Whether a start would get the fleet."""
    if holder is None:
        return Diagnosis(_HOST, "lock", "well", "free")
    return Diagnosis(_HOST, "lock", "well", f"{holder} works on the fleet; another start ends with 4")


def open_files(room: FileRoom) -> Diagnosis:
    """Whether the calls of the plan find room."""
    if room.warning is None:
        return Diagnosis(_HOST, "open files", "well", f"room for {room.connections} connections to a host")
    return Diagnosis(_HOST, "open files", "wrong", room.warning, "raise the hard limit (LimitNOFILE= of systemd)")


def metrics(path: Path) -> Diagnosis:
    """Whether the metrics of the plan find their place."""
    folder = path.resolve().parent
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return Diagnosis(_HOST, "metrics", "well", f"{path} can be written")
    what = "may not be written to" if folder.is_dir() else "is not there"
    remedy = "make the folder that node_exporter reads, and let this user write there"
    return Diagnosis(_HOST, "metrics", "wrong", f"{path}: its folder {what}", remedy)
