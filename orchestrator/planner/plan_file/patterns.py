"""Ranges of numbers within texts, as regular expressions: JSON Schema compares numbers, but not the one in `10m`.

Digits may be grouped by underscores, and begin with zeros, as the plan file allows.
"""

_ZERO = "0(_?0)*"
_ZEROS_BEFORE = "(0_?)*"
#: In front of an expression: of what follows, one digit at least is no zero.
ABOVE_ZERO = "(?=[^1-9]*[1-9])"


def whole(least: int, most: int) -> str:
    """Whole numbers from `least`, which is 0 or 1, to `most`."""
    ways = [_ZEROS_BEFORE + f"({'|'.join(_up_to(str(most)))})"] if most else []
    return "|".join([*ways, _ZERO] if least == 0 else ways)


def decimal(most: int) -> str:
    """Decimals from 0 to `most`, which is 1 or more."""
    below, exactly = whole(0, most - 1), _ZEROS_BEFORE + "_?".join(str(most))
    return rf"({below})(\.[0-9]+)?|{exactly}(\.0+)?|\.[0-9]+"


def decimal_below(bound: int) -> str:
    """Decimals from 0 to less than `bound`, which is 1 or more."""
    return rf"({whole(0, bound - 1)})(\.[0-9]+)?|\.[0-9]+"


def _up_to(digits: str) -> list[str]:
    """Ways to write 1 to this number: with fewer digits, with the same beginning and a smaller digit, or itself."""
    ways = [f"[1-9](_?[0-9]){{0,{len(digits) - 2}}}"] if len(digits) > 1 else []
    for index, digit in enumerate(digits):
        least, most = int(index == 0), int(digit) - 1
        if most >= least:
            smaller = "_?".join([*digits[:index], f"[{least}-{most}]"])
            ways.append(smaller + f"(_?[0-9]){{{len(digits) - 1 - index}}}")
    return [*ways, "_?".join(digits)]
