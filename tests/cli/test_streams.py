"""Streams that cannot be written any more fall silent, and say afterwards whether something was lost."""

import errno
import os
from pathlib import Path

import pytest

from orchestrator.cli.streams import PatientFile

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")


def test_a_full_disk_silences_a_stream_and_is_kept_in_mind() -> None:
    with PatientFile("/dev/full", "w") as stream:
        assert stream.write(b"words") == 5
        assert stream.write(b"more") == 4
    assert stream.lost is not None
    assert stream.lost.errno == errno.ENOSPC


def test_a_reader_that_is_gone_has_lost_nothing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with PatientFile(writing, "w") as stream:
        assert stream.write(b"words") == 5
    assert stream.lost is None
