"""Paging as the cloud does it, and as it does it badly. Pure functions from numbers to the rows that are shown."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from orchestrator.simulator.profile import Listing, Paging
from orchestrator.simulator.wire import Refusal

Row = TypeVar("Row")
OVERLAP = 3


def whole_number(query: Mapping[str, str], name: str, default: int, bounds: tuple[int, int]) -> int:
    """A number of the query.

    Raises:
        Refusal: 400, it is no number or out of the bounds ("DBS.280439": record count out of range).
    """
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit()):
        raise Refusal(400, "DBS.280001", f"Parameter error: {name}.")
    if not bounds[0] <= int(text) <= bounds[1]:
        raise Refusal(400, "DBS.280439", f"The value of {name} is out of range.")
    return int(text)


def job_page(rows: Sequence[Row], offset: int, limit: int, paging: Paging, listing: int) -> tuple[Sequence[Row], int]:
    """One page of the immediate jobs, and the total count that is told.

    The documentation calls `offset` a record offset with a default of 1, while Terraform steps it by one per page: so
    it is a page number here, unless the paging says otherwise. `listing` numbers the listings of a project.
    """
    total = len(rows)
    match paging:
        case "record":
            return rows[offset - 1 : offset - 1 + limit], total
        case "record_from_zero":
            return rows[offset : offset + limit], total
        case "overlap":
            start = max(0, (offset - 1) * (limit - OVERLAP))
            return rows[start : start + limit], total
        case "moving":
            return rows[(offset - 1) * limit : offset * limit], total + listing % 3
        case "short":
            page = rows[(offset - 1) * limit : offset * limit]
            return (page[:-1] if len(page) == limit else page), total
        case "page":
            return rows[(offset - 1) * limit : offset * limit], total


def instance_page(
    rows: Sequence[Row], offset: int, limit: int, paging: Listing, listing: int
) -> tuple[Sequence[Row], int]:
    """One page of the instances by record offset, and the total count that is told."""
    match paging:
        case "overlap":
            start = max(0, offset - OVERLAP)
            return rows[start : start + limit], len(rows)
        case "moving":
            return rows[offset : offset + limit], len(rows) + listing % 3
        case "vanishing":
            # The first instance is deleted after the first page: the others move up, one slips through.
            left = rows[1:] if offset else rows
            return left[offset : offset + limit], len(left)
        case "exact":
            return rows[offset : offset + limit], len(rows)
