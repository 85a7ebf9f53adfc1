"""The rates that the cloud was found to bear, kept between runs in `STATE/rates.json`, for all fleets of the folder.

Nothing hangs on this file but some minutes of searching: one that cannot be read is reported and replaced, and when
two processes write it at the same moment, one of them wins. It holds no secrets: credentials are named by a digest of
the plan's words for where they are found.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from orchestrator.model.learned.known_rate import KnownRate
from orchestrator.model.reply.foreign import Unreadable, read_json
from orchestrator.tracker.disk import make_folder, open_to_read, replace_file
from orchestrator.tracker.journal.decoder import Decoder

RATES = "rates.json"
#: More entries than anybody has endpoints; the oldest go.
_MOST = 500


class _File(Struct, frozen=True, kw_only=True):
    schema: Literal["orchestrator.rates/1"] = "orchestrator.rates/1"
    rates: dict[str, KnownRate]


_decoder: Decoder[_File] = Decoder(_File)


def read_rates(state: Path) -> tuple[dict[str, KnownRate], str | None]:
    """Everything that is known, by key; and why nothing is, if the file cannot be used. No file is no problem."""
    path = state / RATES
    try:
        return read_json(_content(path), _decoder.decode).rates, None
    except FileNotFoundError:
        return {}, None
    except (OSError, Unreadable) as error:
        return {}, f"{path}: cannot be used, so rates are searched again: {error}"


def _content(path: Path) -> bytes:
    with open_to_read(path) as file:
        return file.read()


def add_rates(state: Path, found: Mapping[str, KnownRate]) -> None:
    """Put these in place of what was known of them.

    Raises:
        StateError: the file cannot be written.
    """
    merged = {**read_rates(state)[0], **found}
    newest = sorted(merged.items(), key=lambda item: item[1].at)[-_MOST:]
    make_folder(state)
    text = msgspec.json.format(msgspec.json.encode(_File(rates=dict(newest))))
    replace_file(state / RATES, [text, b"\n"])
