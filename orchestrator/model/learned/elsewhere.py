"""Proxies that other fleets of the same state work on, and how that is said."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from orchestrator.spoken import counted


class Elsewhere(NamedTuple):
    """What another fleet does with a proxy.

    Attributes:
        run_id: of that fleet's run.
        is_open: whether something may be happening there; else a process is yet to send it.
    """

    fleet: str
    run_id: str
    is_open: bool

    def of(self, proxy_id: str) -> str:
        """The same of one proxy, for people."""
        does = "is open in" if self.is_open else "is yet to be sent in"
        return f"proxy {proxy_id} {does} run {self.run_id} of fleet {self.fleet}"


def elsewhere_words(found: Mapping[str, Elsewhere]) -> str:
    """What all other fleets do with some proxies, at least one: each fleet once, with a number and an example."""
    if len(found) == 1:
        ((proxy_id, only),) = found.items()
        return only.of(proxy_id)
    return f"{counted(len(found), 'target')} {_done(found)}: {'; '.join(_by_fleet(found))}"


def _done(found: Mapping[str, Elsewhere]) -> str:
    done = {each.is_open for each in found.values()}
    if done == {True}:
        return "open in another fleet"
    return "open in another fleet, or yet to be sent there" if True in done else "yet to be sent by another fleet"


def _by_fleet(found: Mapping[str, Elsewhere]) -> Iterator[str]:
    fleets: dict[tuple[str, str], list[str]] = {}
    for proxy_id, each in found.items():
        fleets.setdefault((each.fleet, each.run_id), []).append(proxy_id)
    for (fleet, run_id), proxy_ids in fleets.items():
        still = sum(found[proxy_id].is_open for proxy_id in proxy_ids)
        numbers = [f"{still:,} open"] * bool(still) + [f"{len(proxy_ids) - still:,} to send"] * (still < len(proxy_ids))
        yield f"{' and '.join(numbers)} in run {run_id} of fleet {fleet}, such as {proxy_ids[0]}"
