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
    decode_part,
    decode_run,
    indexed,
    pack_indexes,
    pack_run,
    pack_states,
    unpack_part,
    unpack_run,
)
from orchestrator.model.run.run import Run
from orchestrator.tracker.recalled import Recalled
from orchestrator.tracker.state_store import StoredRun

#: To be raised when the fold of the same records comes to something else than before, within one version.
_FORM = 13
#: What decoding, or putting together, parts raises that are not what was kept.
_UNFIT = (JournalDamaged, StateError, LookupError, ValueError, RecursionError, zlib.error)


class Made(Struct, frozen=True, kw_only=True):
    """The first part of a checkpoint: what it was made by and for; then a `PackedRun`, and all the rest bit by bit.

    Attributes:
        failures: what counted as harm.
        states: how many targets have a state.
        entries: how many entries the long indexes have.
    """

    form: int
    version: str
    failures: Failures
    states: int
    entries: int


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
    yield _made(run, len(run.states), indexed(run))
    yield pack_run(run)
    yield from pack_indexes(run)
    yield from pack_states(run)


def _fill(run: Run, parts: Iterator[bytes]) -> bool:
    made = _decode_made(next(parts, b""))
    if made != _made(run, made.states, made.entries):
        return False
    unpack_run(decode_run(next(parts, b"")), run)
    for part in parts:
        unpack_part(decode_part(part), run)
    return (len(run.states), indexed(run)) == (made.states, made.entries) and run.started is not None


def _made(run: Run, states: int, entries: int) -> Made:
    return Made(form=_FORM, version=__version__, failures=run.failures, states=states, entries=entries)


_decode_made = msgspec.json.Decoder(Made).decode
