"""Why a receiver was not told."""


class Untold(Exception):  # an answer to who tells, not an error of the program
    """The message goes on after the receiver's name, and holds no secret."""


def why_untold(error: Exception, patience_s: float) -> str:
    """What came of telling a receiver, for people. A text that is not ours is left out: it may hold the address."""
    if isinstance(error, Untold):
        return str(error)
    if isinstance(error, TimeoutError):
        return f"did not answer within {patience_s:g} s"
    return f"failed ({type(error).__name__})"
