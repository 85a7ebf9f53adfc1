"""What a fleet may be called, and to which plan file its name belongs, wherever the fleet is kept."""

from collections.abc import Sequence
from os.path import normpath
from pathlib import Path
from shlex import join

from orchestrator.errors import PlanError, UsageError
from orchestrator.host import is_lasting
from orchestrator.pattern import pattern

#: Where simulated runs are kept, apart from real ones.
SIMULATED = "simulated"

_FLEET = pattern(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


def expect_fleet_name(name: str) -> None:
    """A fleet can have that name.

    Raises:
        PlanError: it cannot.
    """
    if not _FLEET.fullmatch(name) or name == SIMULATED:
        raise PlanError(
            f"name: {name!r} cannot name a fleet",
            hint=f"letters, digits, '.', '_' and '-', at most 128 and not beginning with '.' or '-'; not {SIMULATED!r}",
        )


def refuse_other(name: str, owner: Path, plan_path: Path, options: Sequence[str]) -> None:
    """Refuse a plan file when the fleet's name belongs to another one that still exists.

    A plan that was read from a pipe keeps no name from others: the next pipe of that name holds another plan.

    Args:
        name: of the fleet.
        owner: the plan file that the name belongs to.
        plan_path: the one that would use it.
        options: what a command says beside the plan to come to the fleet.

    Raises:
        PlanError: it is another one.
        OSError: the plan files cannot be looked at.
    """
    if is_lasting(owner) and owner.exists() and not (plan_path.exists() and owner.samefile(plan_path)):
        raise PlanError(
            f"{plan_path}: the fleet name {name!r} belongs to {owner}",
            hint=f"if this plan has taken its place, hand it the fleet: {_claiming(plan_path, owner, options)}; "
            "a plan of other proxies needs a name or a state folder of its own",
        )


def expect_owner_before(name: str, owner: Path, before: Path, now: Path) -> None:
    """The fleet belongs to the plan file that a person says.

    Raises:
        UsageError: it belongs to another one, perhaps to the one that it would be handed to.
    """
    if same_plan(owner, now):
        raise UsageError(f"{now}: the fleet {name} belongs to it already, so nothing is handed over")
    if not same_plan(owner, before):
        raise UsageError(f"{now}: the fleet {name} belongs to {owner}, not to {before}")


def same_plan(one: Path, other: Path) -> bool:
    """Whether two words name one plan file, which may be there no longer: `../old/prod.yaml` is said as often."""
    return normpath(one.absolute()) == normpath(other.absolute())


def _claiming(plan_path: Path, owner: Path, options: Sequence[str]) -> str:
    return join(["orchestrator", "claim", str(plan_path), "--from", str(owner), *options])
