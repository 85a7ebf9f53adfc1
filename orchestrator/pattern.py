"""Regular expressions that are compiled when the first text is held against them: most commands never need most.

To compile all that a preview imports takes as long as to import twenty modules.
"""

import re
from typing import Any, AnyStr, cast


class LaterPattern:
    """Becomes the compiled expression, method by method, when one is asked for."""

    def __init__(self, pattern: str | bytes, flags: int) -> None:
        self.pattern, self.flags = pattern, flags

    def __getattr__(self, name: str) -> Any:
        compiled: re.Pattern[Any] = re.compile(self.pattern, self.flags)
        for each in ("fullmatch", "match", "search", "sub", "split", "findall", "finditer"):
            setattr(self, each, getattr(compiled, each))  # from now on as fast as the expression itself
        return getattr(compiled, name)


def pattern(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """An expression as `re.compile` makes it, but later; `text` is one of our own, which compiles."""
    return cast("re.Pattern[AnyStr]", LaterPattern(text, flags))
