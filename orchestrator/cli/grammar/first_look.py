"""What a command line shows at once: a call for help, and mistakes in its words. Needs no `argparse`.

`argparse` alone takes as long to import as the interpreter to start. What this is not sure of, such as abbreviations
and odd characters, it leaves to the parser. Where it answers, it says what the parser says, in the same order: values
of options from left to right, options that are required, words in their places, words too many, lonely options.
"""

from __future__ import annotations

from orchestrator.cli.grammar.command_line import (
    HELP,
    PROGRAM,
    VERSION,
    help_text,
    lonely,
    missing,
    mistake,
    too_much,
    verb_first,
)
from orchestrator.cli.grammar.words import NEEDED, OPTIONS, PLACES

TYPE_CHECKING = False  # as `typing` has it, whose import would take longer than the rest
if TYPE_CHECKING:
    from orchestrator.cli.grammar.words import Kind


class SaidAtOnce(Exception):
    """What to print instead of going on: to stdout with code 0, to stderr with code 2."""

    def __init__(self, text: str, code: int = 0) -> None:
        super().__init__(text)
        self.text, self.code = text, code


class _Unsure(Exception):
    """The parser has to look."""


def first_look(arguments: list[str]) -> SaidAtOnce | None:
    """What to answer at once; None when the parser has to go on."""
    try:
        _look(verb_first(arguments))
    except SaidAtOnce as answer:
        return answer
    except _Unsure:
        pass
    return None


def _look(words: list[str]) -> None:
    if not words:
        _missing(["VERB"], PROGRAM)
    verb, *rest = words
    if verb in HELP:
        raise SaidAtOnce(help_text(PROGRAM))
    if verb == VERSION:
        from orchestrator import __version__  # noqa: PLC0415  # in no other case

        raise SaidAtOnce(f"{PROGRAM} {__version__}\n")
    if not _is_plain(verb) or verb.startswith("-"):
        raise _Unsure
    known = {*HELP, VERSION}.union(*([OPTIONS[verb]] if verb in OPTIONS else OPTIONS.values()))
    if not all(_is_plain(word) and (not word.startswith("-") or _is_whole(word, known)) for word in rest):
        raise _Unsure
    _expect_known("VERB", verb, tuple(OPTIONS), PROGRAM)
    _Verb(verb).look(rest)


def _is_plain(word: str) -> bool:
    """Whether it is text that every message can repeat."""
    return bool(word) and word.isascii() and word.isprintable()


def _is_whole(word: str, known: set[str]) -> bool:
    """Whether a word that begins with a dash is a known option, or surely none: no abbreviation, number or text."""
    name = word.partition("=")[0]
    if name in known:
        return True
    return word.startswith("--") and name != "--" and " " not in word and not any(k.startswith(name) for k in known)


def _takes_many(verb: str) -> bool:
    """Whether its last place takes any number of words, such as `KEY=VALUE`."""
    return bool(PLACES[verb]) and "=" in PLACES[verb][-1][0]


class _Verb:
    """One look at the words behind a verb."""

    def __init__(self, verb: str) -> None:
        self._verb, self._prog = verb, f"{PROGRAM} {verb}"
        self._given: list[str] = []
        self._words: list[str] = []
        self._strays: list[str] = []

    def look(self, words: list[str]) -> None:
        """Raise the answer, when there is one."""
        self._sort(words)
        _missing([name for name in NEEDED[self._verb] if name not in self._given], self._prog)
        places = PLACES[self._verb]
        for (name, kind, _), word in zip(places, self._words, strict=False):
            self._expect(name, kind, word)
        _missing([name for name, _, required in places[len(self._words) :] if required], self._prog)
        if self._strays:
            raise SaidAtOnce(mistake(too_much(self._strays[0], self._verb), self._prog), 2)
        if trouble := lonely(self._verb, [name[2:].replace("-", "_") for name in self._given]):
            raise SaidAtOnce(mistake(trouble, self._prog), 2)

    def _sort(self, words: list[str]) -> None:
        """Tell options, words in their places and words too many apart."""
        rest = iter(words)
        following = iter([*words[1:], "-"])
        for word in rest:
            after = next(following)
            if word.startswith("-"):
                if self._takes_next(word, after):
                    next(rest), next(following)
            else:
                placed = len(self._words) < len(PLACES[self._verb]) or _takes_many(self._verb)
                (self._words if placed else self._strays).append(word)

    def _takes_next(self, word: str, after: str) -> bool:
        """Look at an option; whether the word after it is its value."""
        name, equals, value = word.partition("=")
        if name not in OPTIONS[self._verb]:
            self._look_at_stranger(word, name, equals)
            return False
        kind = OPTIONS[self._verb][name]
        self._given.append(name)
        if kind is None:
            if equals:
                raise _Unsure
            return False
        if not equals and after.startswith("-"):
            raise SaidAtOnce(mistake(f"argument {name}: expected one argument", self._prog), 2)
        self._expect(name, kind, value if equals else after)
        return not equals

    def _look_at_stranger(self, word: str, name: str, equals: str) -> None:
        if name not in HELP:
            self._strays.append(word)
        elif equals:
            raise _Unsure
        else:
            raise SaidAtOnce(help_text(self._prog))

    def _expect(self, name: str, kind: Kind, value: str) -> None:
        if value in ("", "--"):
            raise _Unsure
        if isinstance(kind, tuple):
            _expect_known(name, value, kind, self._prog)
        elif kind:
            from orchestrator.cli.grammar import values  # noqa: PLC0415  # only for values that have a form

            try:
                getattr(values, kind)(value)
            except values.WrongValue as error:
                raise SaidAtOnce(mistake(f"argument {name}: {error}", self._prog), 2) from None


def _expect_known(name: str, value: str, known: tuple[str, ...], prog: str) -> None:
    if value not in known:
        from orchestrator.cli.grammar.values import unknown  # noqa: PLC0415  # only when something is wrong

        raise SaidAtOnce(mistake(f"argument {name}: {unknown(value, known)}", prog), 2)


def _missing(names: list[str], prog: str) -> None:
    if names:
        raise SaidAtOnce(mistake(missing(names), prog), 2)
