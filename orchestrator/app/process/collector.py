"""How little the garbage collector may disturb: hardly any cycle is made, and what is loaded stays to the end."""

import gc

#: The usual threshold looks for cycles a hundred times while modules are loaded, which takes a tenth of a small
#: preview, and far too often in a run that makes records by the hundred thousand.
_YOUNG = 50_000

#: After so many looks at what is young, what they left is looked at. The usual twenty make one step of a quarter of a
#: second of it in a run of some ten thousand targets.
_LEFT = 2

#: After so many of those, everything is: as seldom as before.
_ALL = 200


def collect_seldom() -> None:
    """Before anything is loaded."""
    gc.set_threshold(_YOUNG, _LEFT, _ALL)


def spare_the_collector() -> None:
    """What is loaded by now lives to the end of the process and need never be looked at again."""
    gc.collect()
    gc.freeze()
    collect_seldom()
