"""Faults of what an answer says: JSON of any depth, size and type, entries that are missing, too many, or another's."""

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from fuzz.cloud import NEW, OLD
from fuzz.said import Context, Said, Twist

TWISTS: dict[str, Twist] = {}


def _twist(twist: Twist) -> Twist:
    TWISTS[twist.__name__.strip("_")] = twist
    return twist


#: Raw JSON that no field expects.
_ODD = (
    *("null", "true", "-1", "0", "1e400", "NaN", "-Infinity", "1e-400", "[]", "{}", '""', "[[]]", "[null]", "[1]"),
    *("9" * 5000, "1" + "0" * 400, "-" + "9" * 25, "0." + "1" * 5000, "1e12", "1788000000000", "9223372036854775808"),
    *('"\\ud800"', '"\\u0000"', '"\\u001b[2J"', '"\\u202e"', '"\\n\\r\\n"', '"' + "x" * 70_000 + '"', '" "', '"é"'),
    *('"9999-12-31T23:59:59+0000"', '"0001-01-01T00:00:00+2359"', '"2018-08-06T10:41:49_0800"', '"0000-00-00"'),
    *('"' + "9" * 5000 + '"', '"1e999999"', '"2.24.' + "9" * 5000 + '"', '"-1.-1"', '"٣.٤"', '{"":{"":{"":0}}}'),
    *("[" * 1000 + "]" * 1000, '{"a":' * 1000 + "1" + "}" * 1000, "[" * 100_000, '"' + "<" * 65_536 + '"'),
)


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a value, the root among them."""
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from _places(each, (*at, key))


def _changed(value: Any, at: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Any:
    """A copy in which something was done to the container of a place."""
    value = copy.deepcopy(value)
    inner = value
    for key in at[:-1]:
        inner = inner[key]
    change(inner, at[-1])
    return value


def _some_place(value: Any, rng: random.Random) -> tuple[Any, ...]:
    return rng.choice([place for place in _places(value) if place] or [()])


@_twist
def odd_value(said: Said, context: Context) -> None:
    """Something else in one place."""
    raw, mark = context.rng.choice(_ODD), "a mark that no answer has"
    at = _some_place(said.value, context.rng)
    value = _changed(said.value, at, lambda inner, key: inner.__setitem__(key, mark)) if at else mark
    said.body = json.dumps(value).replace(json.dumps(mark), raw).encode("utf-8", "surrogatepass")
    said.whole = False


@_twist
def odd_beside(said: Said, context: Context) -> None:
    """A field that nobody knows, with something odd in it. What was asked for is all there."""
    raw = context.rng.choice(_ODD)
    body = said.content().rstrip()
    if body.endswith(b"}"):
        said.body = body[:-1] + b', "news": ' + raw.encode() + b"}"
        said.whole = False


#: No characters, in the ways in which they come: Latin-1, half of a surrogate pair, an escape that is none, a control.
_BAD = (b"caf\xe9", b"\xff", b"\xed\xa0\x80", b"\\ud800", b"\\udc00\\ud800", b"\\q", b"\\u12", b"\x00", b"\n")


@_twist
def bad_character(said: Said, context: Context) -> None:
    """What is no character, in words beside what counts; or another encoding. The answer is as good as before."""
    if said.body is not None or not isinstance(said.value, dict):
        return
    if context.rng.random() < 0.2:
        said.body = json.dumps(said.value).encode(context.rng.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig")))
        return
    mark, words = "a mark that no answer has", ("error_message", "error_msg", "fail_reason", "instance_name")
    places = [at for at in _places(said.value) if at and at[-1] in words] or [("news",)]
    value = _changed(said.value, context.rng.choice(places), lambda inner, key: inner.__setitem__(key, mark))
    said.body = json.dumps(value).encode().replace(mark.encode(), b"in a " + context.rng.choice(_BAD) + b" subnet")


@_twist
def missing(said: Said, context: Context) -> None:
    """A field or row is not there."""
    at = _some_place(said.value, context.rng)
    if at:
        said.value = _changed(said.value, at, lambda inner, key: inner.__delitem__(key))
        said.whole = False


@_twist
def doubled(said: Said, context: Context) -> None:
    """Rows twice, or a key twice."""
    body = said.content().strip()
    if context.rng.random() < 0.5 and body.startswith(b"{"):
        said.body, said.whole = b"{" + body[1:-1] + b", " + body[1:], False
        return
    for at in _places(said.value):
        inner = said.value
        for key in at:
            inner = inner[key]
        if isinstance(inner, list) and inner:
            inner.extend(copy.deepcopy(inner) * context.rng.randint(1, 3))
            said.whole = False


@_twist
def quotes_a_secret(said: Said, context: Context) -> None:
    """A secret in any field, or beside them."""
    secret = context.secret().decode()
    texts = [place for place in _places(said.value) if place]
    if texts:
        at, words = (
            context.rng.choice(texts),
            context.rng.choice(("%s", "token %s", "%s%s", '"%s"', "x-auth-token=%s;")),
        )
        quoted = words.replace("%s", secret)
        said.value = _changed(said.value, at, lambda inner, key: inner.__setitem__(key, quoted))
        said.whole = False


@_twist
def of_another(said: Said, context: Context) -> None:
    """The answer to a call of the same kind that asked for something else."""
    others = [each for each in context.earlier.get(said.asked.kind, []) if each.asked.proxy is not said.asked.proxy]
    if others:
        other = context.rng.choice(others)
        said.status, said.value, said.body = other.status, copy.deepcopy(other.value), other.body
        said.whole = False


@_twist
def endless(said: Said, context: Context) -> None:
    """A list that always has more rows, all of them new."""
    for key, rows in said.value.items() if isinstance(said.value, dict) else ():
        if isinstance(rows, list):
            fresh = {"instance_id": f"{context.rng.getrandbits(120):032x}in07", "status": "Running", "job_name": "x"}
            said.value[key] = rows + [{**fresh, "job_id": f"{context.rng.getrandbits(99):x}"} for _ in range(50)]
            said.value["total_count"] = 10**9
            said.whole = False
            return


@_twist
def entries(said: Said, context: Context) -> None:
    """`update_result` in every shape."""
    if said.asked.kind != "upgrade" or not isinstance(said.value, dict) or not said.value.get("update_result"):
        return
    said.whole, entry = False, said.value["update_result"][0]
    shapes: tuple[Any, ...] = (
        [],
        entry,
        [{**entry, "workflow_id": None}],
        [{**entry, "state": "ACCEPTED?"}],
        [{**entry, "workflow_id": "", "job_id": entry["workflow_id"]}],
        [{**entry, "instance_id": f"{77:032x}in07"}],
        [{**entry, "workflow_id": "w" * 300}],
        [entry, {**entry, "state": "REJECT", "error_message": context.secret().decode()}],
        [{**entry, "state": "REJECT", "workflow_id": context.secret().decode(), "error_message": "no"}],
        [entry] * 1000,
    )
    chosen = context.rng.choice(shapes)
    said.value = {"update_result": chosen}
    if chosen and all(isinstance(each, dict) and each["state"] == "REJECT" for each in chosen):
        said.effect = False


@_twist
def plain_lies(said: Said, context: Context) -> None:
    """A version, status or truth value that could be true, and is not."""
    words = (
        NEW,
        OLD,
        "9.9",
        "ACTIVE",
        "Failed",
        "Canceled",
        "Unauthorized",
        "Completed",
        "ABNORMAL",
        True,
        False,
        None,
    )
    at = _some_place(said.value, context.rng)
    if at and said.asked.kind != "jobs":
        lie = context.rng.choice(words)
        if said.asked.kind == "version" and said.asked.proxy and said.asked.proxy.jobs and lie == OLD:
            return  # a cloud that denies what it did, in every call, cannot be survived
        said.value = _changed(said.value, at, lambda inner, key: inner.__setitem__(key, lie))
        said.whole = False
