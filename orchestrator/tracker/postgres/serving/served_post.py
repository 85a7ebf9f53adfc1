"""A post: what this host serves now, and why that must end."""

from collections.abc import Mapping


class ServedPost:
    """As in the port. One thread serves, and another one may end it.

    Args:
        lead: the epoch of the fleet's holder.
        epochs: those of the groups, by their keys.
    """

    def __init__(self, lead: int, epochs: Mapping[str, int]) -> None:
        self.lead = lead
        self.epochs = dict(epochs)
        self._over: str | None = None

    @property
    def groups(self) -> tuple[str, ...]:
        """The keys of the groups."""
        return tuple(self.epochs)

    def over(self) -> str | None:
        """Why serving must end now; None while it goes on."""
        return self._over

    def end(self, why: str | None) -> None:
        """Let it be over, unless it is so already; None for no reason."""
        self._over = self._over or why

    def end_when_changed(self, held: Mapping[str, int]) -> None:
        """Let it be over when these are not the groups that it is about.

        Args:
            held: the epochs of the groups that this host has now, by their keys.
        """
        lost = [group for group, epoch in self.epochs.items() if held.get(group) != epoch]
        if lost:
            self.end(f"{', '.join(lost)}: served by another host by now, or by none")
        elif len(held) > len(self.epochs):
            self.end(f"{', '.join(held.keys() - self.epochs.keys())}: to be served here too")
