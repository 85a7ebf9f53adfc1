"""Checkpoints: what the fold of a run's first records has come to, kept so that they need not be folded again.

The journal stays the only truth. A checkpoint that is missing, damaged, of another version of this program, or made
for another plan or other records is ignored: every record is folded then, as if there were none.
"""

import zlib
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from orchestrator import __version__
from orchestrator.errors import JournalDamaged, StateError
from orchestrator.model.plan.plan import Failures
from orchestrator.model.run.packed import (
    decode_run,
    decode_states,
    pack_run,
    pack_states,
    unpack_run,
    unpack_states,
)
from orchestrator.model.run.run import Run
from orchestrator.tracker.recalled import Recalled
from orchestrator.tracker.state_store import StoredRun

#: To be raised when the fold of the same records comes to something else than before, within one version.
_FORM = 12
#: What decoding, or putting together, parts raises that are not what was kept.
_UNFIT = (JournalDamaged, StateError, LookupError, ValueError, RecursionError, zlib.error)


class Made(Struct, frozen=True, kw_only=True):
    """The first part of a checkpoint: what it was made by and for. The others are a `PackedRun` and `PackedStates`.

    Attributes:
        failures: what counted as harm.
        states: how many targets have a state.
    """

    form: int
    version: str
    failures: Failures
    states: int


def keep(stored: StoredRun, run: Run, seq: int) -> None:
    """Keep a checkpoint of a run. The fleet's lock must be held.

    Args:
        stored: where.
        run: the fold of the first `seq` records, in the journal's order.
        seq: the number of the last of them.

    Raises:
        StateError: it cannot be kept.
    """
    stored.remember(seq, _parts(run))


def recalled(stored: StoredRun, run: Run) -> Recalled | None:
    """Let a new run know what a checkpoint knows: what was kept, with the records behind it; None: there is none.

    Args:
        stored: the run as it is kept.
        run: before its first record; when there is no checkpoint it is of no use any more.
    """
    try:
        kept = stored.recall()
        return kept if kept is not None and _fill(run, kept.parts) else None
    except _UNFIT:
        return None


def _parts(run: Run) -> Iterator[Struct]:
    yield _made(run, len(run.states))
    yield pack_run(run)
    yield from pack_states(run)


def _fill(run: Run, parts: Iterator[bytes]) -> bool:
    made = _decode_made(next(parts, b""))
    if made != _made(run, made.states):
        return False
    unpack_run(decode_run(next(parts, b"")), run)
    for part in parts:
        unpack_states(decode_states(part), run)
    return len(run.states) == made.states and run.started is not None


def _made(run: Run, states: int) -> Made:
    return Made(form=_FORM, version=__version__, failures=run.failures, states=states)


_decode_made = msgspec.json.Decoder(Made).decode
