"""A report and the journal behind it, of a run that a module of tests has played once: its `files`."""

import json
from pathlib import Path
from typing import Any

import pytest
from auditor.journal import Book, read_book


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Any:
    """The report, to be changed at will."""
    return json.loads(request.module.files()[0])


@pytest.fixture
def book(request: pytest.FixtureRequest, tmp_path: Path) -> Book:
    """The journal, as the auditor reads it from disk."""
    journal = tmp_path / "journal.ndjson"
    journal.write_bytes(request.module.files()[1])
    return read_book(journal)
