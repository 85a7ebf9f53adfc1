"""Words such as `in_flight=4` of the command line, read by the declaration of the plan's own `limits`."""

from collections.abc import Sequence

from orchestrator.errors import UsageError
from orchestrator.model.plan.limit_change import LimitChange
from orchestrator.planner.plan_file.schemas.schema_rollout import LIMITS
from orchestrator.planner.reading.shapes import Leaf
from orchestrator.spoken import nearest


def limit_change(words: Sequence[str]) -> LimitChange:
    """The change that is meant.

    Raises:
        UsageError: a word names no such limit, one twice, or a value that it cannot have.
    """
    found: dict[str, object] = {}
    for word in words:
        key, value = _read(word)
        if key in found:
            raise UsageError(f"{key}: is there twice")
        found[key] = value
    return LimitChange(**found)  # type: ignore[arg-type]  # typed by the declaration


def _read(word: str) -> tuple[str, object]:
    key, equals, text = word.partition("=")
    known = LimitChange.__struct_fields__
    if key not in known:
        near = nearest(key, list(known))
        hint = f"did you mean {near}?" if near else f"what can be changed is {', '.join(known)}"
        raise UsageError(f"{key}: cannot be changed while a run goes on; {hint}")
    shape = LIMITS.by_key[key].shape
    assert isinstance(shape, Leaf)  # noqa: S101  # each of these keys is a single text
    if not equals or text == "auto":
        raise UsageError(f"{key}: expected {key}=NUMBER such as {_EXAMPLES[key]}, got {word!r}")
    try:
        return key, shape.parse(text)
    except ValueError as error:
        raise UsageError(f"{key}: {str(error) or f'expected {shape.expected}'}, got {text!r}") from None


_EXAMPLES = {
    "concurrency": "concurrency=5",
    "rate": "rate=2/s",
    "in_flight": "in_flight=4",
    "per_window": "per_window=100",
}
