"""Which event loop the process runs on."""

from importlib.util import find_spec
from typing import Any


def backend_options() -> dict[str, Any]:
    """Options for `anyio.run`: uvloop where it is installed."""
    return {"use_uvloop": find_spec("uvloop") is not None}
