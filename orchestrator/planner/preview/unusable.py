"""What a start leaves undone when a scope cannot be used: its targets, and every wave after theirs. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping

from msgspec import structs

from orchestrator.planner.preview.preview import unapproved
from orchestrator.planner.preview.preview_values import Preview, WavePreview
from orchestrator.spoken import counted


def without_scopes(preview: Preview, unusable: Mapping[str, str], *, all_required: bool) -> Preview:
    """The preview of a start that cannot use some scopes.

    Args:
        preview: as if all could be used.
        unusable: scopes by name, and why each could not be used.
        all_required: whether nothing starts before every scope was reached.
    """
    if not unusable:
        return preview
    waiting = Counter(scope for wave in preview.waves for scope in _scopes(wave) if scope in unusable)
    lines = (
        f"scope {name} cannot be used, so {counted(waiting[name], 'target of it does', 'targets of it do')} not start, "
        f"and no wave opens after theirs: {why}"
        for name, why in unusable.items()
    )
    starts = 0 if all_required else min(preview.starts, _starts(preview, unusable))
    return structs.replace(preview, state=(*preview.state, *lines), starts=starts, unusable=waiting.total())


def _starts(preview: Preview, unusable: Mapping[str, str]) -> int:
    """How many start up to the first wave that cannot come to its end."""
    starts = 0
    for wave in unapproved(preview.waves):
        usable = sum(scope not in unusable for scope in _scopes(wave))
        starts += usable
        if usable < wave.sends:
            break
    return starts


def _scopes(wave: WavePreview) -> Iterator[str]:
    yield from (target.scope for group in wave.groups for target in group.targets)
