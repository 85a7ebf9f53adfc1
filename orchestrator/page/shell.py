"""Jinja2 as all pages use it: values are escaped, and a policy allows nothing but the own style and script."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import islice
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from orchestrator.page.outcomes import SHAPES, parts
from orchestrator.plain import plain
from orchestrator.spoken import spoken

_HERE = "orchestrator.page"
_PIECES = 500


@cache
def environment(package: str, script: str | None = None) -> Environment:
    """The templates of a package, which extend `base.html.jinja`.

    Args:
        package: where they are.
        script: the file there that the page runs; None for a page without one.
    """
    made = Environment(
        loader=ChoiceLoader([PackageLoader(package, "."), PackageLoader(_HERE, ".")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    style, runs = _part(_HERE, "page.css"), _part(package, script) if script else ""
    made.globals |= {"style": Markup(style), "script": Markup(runs), "policy": _policy(style, runs)}  # noqa: S704  # ours
    made.globals |= {"shapes": SHAPES, "parts": parts}
    made.filters |= {"lasts": spoken, "count": "{:,}".format}
    return made


def drawn(made: Environment, template: str, values: Mapping[str, Any]) -> Iterator[bytes]:
    """A page, piece by piece."""
    pieces = made.get_template(template).generate(values)
    while chunk := "".join(islice(pieces, _PIECES)):
        yield chunk.encode()


def _part(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    scripts = f"script-src '{_hash(script)}'; " if script else ""
    return f"default-src 'none'; style-src '{_hash(style)}'; {scripts}base-uri 'none'; form-action 'none'"


def _hash(part: str) -> str:
    return f"sha256-{b64encode(sha256(part.encode()).digest()).decode()}"


def _shown(value: object) -> object:
    """Any value as a page shows it; words of the cloud without characters that cannot be seen."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%SZ}"
    return "-" if value is None else plain(str(value))
