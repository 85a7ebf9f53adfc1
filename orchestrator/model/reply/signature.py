"""What two texts of the cloud have in common that differ only in what they name. Pure."""

from orchestrator.pattern import pattern

_WORD = pattern(r"\w[\w.:/@-]*")
_SIGNED = pattern(r"(?<![\w+\u2212-])[-+\u2212]+#")
_LIST = pattern(r"#(?:[\s,;]+#)+")


def signature(text: str) -> str:
    """The text with numbers, ids and addresses blanked: `3 of 4 free in 10.0.0.0/24` is `# of # free in #`.

    Every word with a digit in it is taken for one of these, with the sign before it. A list of them counts as one, and
    so does white space.
    """
    blanked = _WORD.sub(lambda word: "#" if any(map(str.isdigit, word[0])) else word[0], text)
    return " ".join(_LIST.sub("#", _SIGNED.sub("#", blanked)).split())
