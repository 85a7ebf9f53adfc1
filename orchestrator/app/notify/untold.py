"""Why a receiver was not told."""


class Untold(Exception):  # an answer to who tells, not an error of the program
    """The message goes on after the receiver's name, and holds no secret."""
