"""Which event loop the process runs on, and how little the garbage collector may disturb it."""

import gc
from importlib.util import find_spec
from typing import Any


def backend_options() -> dict[str, Any]:
    """Options for `anyio.run`: uvloop where it is installed."""
    return {"use_uvloop": find_spec("uvloop") is not None}


#: A run makes records by the hundred thousand and hardly any cycle: the usual threshold looks for them far too often.
_YOUNG = 50_000


def spare_the_collector() -> None:
    """What is loaded by now lives to the end of the process and need never be looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 20)
