"""What of ours may be happening in the cloud, in words: of a doubtful attempt nobody knows whether it began."""

from collections.abc import Iterator

from orchestrator.app.status.outlook import Outlook
from orchestrator.spoken import counted


def moving_parts(seen: Outlook) -> Iterator[str]:
    """A part of a sentence for what is under way, and one for what is in doubt; none when nothing is."""
    moving = seen.moving
    if moving.upgrades:
        followed = "followed to the end" if seen.working else "followed by the next start"
        yield f"{counted(moving.upgrades, 'upgrade')} under way, {followed}"
    if moving.doubts:
        yield f"{counted(moving.doubts, 'attempt')} in doubt, of which evidence is looked for"
