"""Brings the targets of a plan together from every source, leaves out what is excluded, and checks their number."""

from array import array
from collections.abc import Iterable, Iterator

from msgspec import Struct

from orchestrator.errors import PlanError, ScopeUnusable
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.selection import MissingFact, Selector, matches
from orchestrator.model.plan.target import Target
from orchestrator.planner.reading.locate import with_place
from orchestrator.planner.reading.problems import At, Problems
from orchestrator.planner.targets.own_windows import check_own_windows
from orchestrator.spoken import counted

#: So many problems of a file are shown; the rest are counted.
_SHOWN = 20


class Excluded(Struct, frozen=True, gc=False):
    """A target that an entry of `exclude` matches; `entry` is the first such entry's index."""

    target: Target
    entry: int


class Resolved(Struct, frozen=True):
    """The targets of a plan, in plan order: written out, from inventories, discovered."""

    targets: list[Target]
    excluded: list[Excluded]


class ExpectNotMet(ScopeUnusable):
    """The number of targets is outside the plan's `expect`: something is not as the writer of the plan thought."""


def resolve_targets(plan: Plan, discovered: Iterable[Target] | None = None) -> Resolved:
    """Every target of the plan, checked.

    Args:
        plan: whose inventory files are read now.
        discovered: what the cloud listed; None when it was not asked, so that fewer targets than expected mean nothing
            if the plan has `discover`.

    Raises:
        PlanError: an inventory has problems, a proxy is there twice, `exclude` asks for an unknown fact, or a target
            has no window of its own with `windows: instance`.
        ExpectNotMet: fewer or more targets than expected.
    """
    gathered = _Gathered(plan, discovered or ())
    targets, excluded = _split(plan, gathered.targets)
    more_to_come = discovered is None and bool(plan.discover)
    _check_number(plan, len(targets), len(excluded), more_to_come=more_to_come)
    check_own_windows(plan, targets)
    return Resolved(targets, excluded)


class _Gathered:
    """Targets from all sources, and for each where it stands, in four bytes."""

    def __init__(self, plan: Plan, discovered: Iterable[Target]) -> None:
        self.targets: list[Target] = []
        self._plan = plan
        self._lines = array("L")
        self._sources: list[tuple[int, str]] = []
        self._add("proxies", enumerate(plan.proxies))
        self._add_inventories()
        self._add("discover", enumerate(discovered))
        self._refuse_repeated()

    def _add(self, source: str, placed: Iterable[tuple[int, Target]]) -> None:
        self._sources.append((len(self.targets), source))
        for line, target in placed:
            self.targets.append(target)
            self._lines.append(line)

    def _add_inventories(self) -> None:
        if not self._plan.inventory:
            return
        from orchestrator.planner.targets.inventory import read_inventory  # noqa: PLC0415  # most plans have none

        scopes = frozenset(scope.name for scope in self._plan.scopes)
        lines: list[str] = []
        for path in self._plan.inventory:
            problems = Problems(path, shown=_SHOWN)
            version = self._plan.target_version
            self._add(path, read_inventory(path, scopes=scopes, target_version=version, problems=problems))
            lines += problems.lines()
        if lines:
            raise PlanError("\n".join(lines))

    def _refuse_repeated(self) -> None:
        if len({target.proxy_id for target in self.targets}) == len(self.targets):
            return
        lines = list(self._repeated())
        more = (
            [f"{self._plan.path}: and {counted(len(lines) - _SHOWN, 'more such proxy', 'more such proxies')}"]
            if len(lines) > _SHOWN
            else []
        )
        raise PlanError("\n".join([*lines[:_SHOWN], *more]))

    def _repeated(self) -> Iterator[str]:
        first: dict[str, int] = {}
        for index, target in enumerate(self.targets):
            earlier = first.setdefault(target.proxy_id, index)
            if earlier != index:
                where = f"{self._place(earlier)} and {self._place(index)}"
                yield f"{self._plan.path}: proxy {target.proxy_id} is listed twice: {where}"

    def _place(self, index: int) -> str:
        source = next(name for start, name in reversed(self._sources) if start <= index)
        line = self._lines[index]
        if source == "proxies":
            return f"proxies[{line}]"
        return "discover" if source == "discover" else f"{source}:{line}"


def _split(plan: Plan, targets: list[Target]) -> tuple[list[Target], list[Excluded]]:
    if not plan.exclude:
        return targets, []
    kept: list[Target] = []
    excluded: list[Excluded] = []
    unknown: list[_Unknown] = []
    for target in targets:
        try:
            entry = _first_match(plan.exclude, target)
        except _Unknown as missing:
            unknown.append(missing)
            continue
        if entry is None:
            kept.append(target)
        else:
            excluded.append(Excluded(target, entry))
    if unknown:
        more = f" (and {counted(len(unknown) - 1, 'more proxy', 'more proxies')})" if len(unknown) > 1 else ""
        raise PlanError(with_place(plan.path, unknown[0].at, f"{unknown[0]}{more}"))
    return kept, excluded


class _Unknown(Exception):
    """An entry asks for a fact that a target does not have."""

    def __init__(self, entry: int, missing: MissingFact) -> None:
        super().__init__(str(missing))
        self.at: At = (((None, "exclude"), entry), missing.fact)


def _first_match(exclude: tuple[Selector, ...], target: Target) -> int | None:
    for entry, selector in enumerate(exclude):
        try:
            if matches(selector, target):
                return entry
        except MissingFact as missing:
            raise _Unknown(entry, missing) from None
    return None


def _check_number(plan: Plan, count: int, excluded: int, *, more_to_come: bool) -> None:
    least, most = plan.expect.min, plan.expect.max
    if (count >= least or more_to_come) and (most is None or count <= most):
        return
    wanted = f"at least {least:,}" if most is None else f"{least:,} to {most:,}"
    left_out = f", after {counted(excluded, 'was excluded', 'were excluded')}" if excluded else ""
    raise ExpectNotMet(
        with_place(
            plan.path, (None, "expect"), f"the plan has {counted(count, 'target')}{left_out}, and expects {wanted}"
        ),
        hint="nothing starts; change the targets, or expect.min and expect.max",
    )
