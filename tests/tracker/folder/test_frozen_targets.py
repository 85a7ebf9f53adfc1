"""Frozen targets are read by whole blocks, line by line wherever one is not what was written; and so is their order."""

from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import msgspec
import pytest
from fakes.recorded import make_plan, make_targets, run_started

from orchestrator.errors import JournalDamaged
from orchestrator.model.plan.order import draw_order
from orchestrator.tracker.folder.frozen_targets import load_draw_order, load_frozen_targets
from orchestrator.tracker.folder.run_folder import create_run
from orchestrator.tracker.journal.decoder import Decoder
from orchestrator.tracker.journal.line import Line, decode_line

COUNT = 2500
TARGETS = make_targets(COUNT)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of three blocks of targets."""
    made, journal = create_run(tmp_path, make_plan(TARGETS[:1], name="prod"), TARGETS, run_started(COUNT))
    journal.close()
    return made


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the targets' lines that are looked at one by one."""
    numbers = list[int]()

    def counted(decoder: Decoder[object], path: Path, line: Line) -> object:
        if path.name == "targets.ndjson":
            numbers.append(line.number)
        return decode_line(decoder, path, line)

    monkeypatch.setattr("orchestrator.tracker.folder.frozen_targets.decode_line", counted)
    return numbers


def sums(run: Path) -> Path:
    return run / "targets.sums"


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_none_is_looked_at_by_itself(run: Path, looked_at: list[int]) -> None:
    assert list(load_frozen_targets(run)) == TARGETS
    assert looked_at == []


def test_of_a_run_of_an_earlier_version_each_is(run: Path, looked_at: list[int]) -> None:
    sums(run).unlink()
    assert list(load_frozen_targets(run)) == TARGETS
    assert looked_at == list(range(1, COUNT + 1))


HARM: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "empty": lambda _lines: [],
    "torn": lambda lines: [lines[0], lines[1][:-1]],
    "without its first line": lambda lines: lines[1:],
    "a changed byte": lambda lines: [lines[0], lines[1].replace(b'"size":', b'"size":1'), lines[2]],
    "another text": lambda _lines: [b"no sums\n"],
    "in another order": lambda lines: [lines[1], lines[0], lines[2]],
    "of one block too many": lambda lines: [*lines, lines[-1]],
}


@pytest.mark.parametrize("harm", HARM)
def test_checksums_that_are_damaged_change_nothing(run: Path, harm: str) -> None:
    sums(run).write_bytes(b"".join(HARM[harm](lines(sums(run)))))
    assert list(load_frozen_targets(run)) == TARGETS


def test_a_folder_in_place_of_the_checksums_changes_nothing(run: Path) -> None:
    sums(run).unlink()
    sums(run).mkdir()
    assert list(load_frozen_targets(run)) == TARGETS


@pytest.mark.parametrize("number", [1, 1000, 1001, COUNT])
def test_a_changed_byte_is_found_where_it_is(run: Path, number: int) -> None:
    path = run / "targets.ndjson"
    written = lines(path)
    written[number - 1] = written[number - 1].replace(b"in07", b"in08")
    path.write_bytes(b"".join(written))
    with pytest.raises(JournalDamaged, match=rf"targets\.ndjson:{number}: the checksum does not match"):
        list(load_frozen_targets(run))


def test_lines_that_changed_places_are_found(run: Path) -> None:
    path = run / "targets.ndjson"
    first, second, *rest = lines(path)
    path.write_bytes(b"".join([second, first, *rest]))
    with pytest.raises(JournalDamaged, match=r"targets\.ndjson:1: a line is missing or there twice"):
        list(load_frozen_targets(run))


def test_what_was_added_behind_the_last_block_is_looked_at(run: Path, looked_at: list[int]) -> None:
    path = run / "targets.ndjson"
    path.write_bytes(path.read_bytes() + lines(path)[-1])
    with pytest.raises(JournalDamaged, match=rf"targets\.ndjson:{COUNT + 1}: a line is missing or there twice"):
        list(load_frozen_targets(run))
    assert looked_at == []


def test_a_block_that_holds_no_targets_is_told_by_its_line(run: Path) -> None:
    head = b'{"seq":1,"scope":7'
    line = b'%b,"crc":"%08x"}\n' % (head, crc32(head))
    (run / "targets.ndjson").write_bytes(line)
    told = {"seq": 1, "size": len(line), "checksum": crc32(line)}
    content = msgspec.json.encode(told)[:-1]
    sums(run).write_bytes(b'%b,"crc":"%08x"}\n' % (content, crc32(content)))
    with pytest.raises(JournalDamaged, match=r"targets\.ndjson:1: unknown content"):
        list(load_frozen_targets(run))


# --- the order in which waves draw them ------------------------------------------------------------------------------


def test_the_order_in_which_waves_draw_them_is_kept(run: Path) -> None:
    assert load_draw_order(run, "prod") == draw_order("prod", (target.proxy_id for target in TARGETS))


def test_it_is_that_of_one_fleet(run: Path) -> None:
    """A fleet of another name draws in another order."""
    assert load_draw_order(run, "other") is None


@pytest.mark.parametrize("harm", sorted(HARM.keys() - {"of one block too many"}))
def test_an_order_that_is_not_all_there_is_none(run: Path, harm: str) -> None:
    sums(run).write_bytes(b"".join(HARM[harm](lines(sums(run)))))
    assert load_draw_order(run, "prod") is None


@pytest.mark.parametrize("number", [1, 1001, COUNT])
def test_an_order_of_other_targets_is_none(run: Path, number: int) -> None:
    path = run / "targets.ndjson"
    written = lines(path)
    written[number - 1] = written[number - 1].replace(b"in07", b"in08")
    path.write_bytes(b"".join(written))
    assert load_draw_order(run, "prod") is None


def test_an_order_of_fewer_targets_than_there_are_is_none(run: Path) -> None:
    path = run / "targets.ndjson"
    path.write_bytes(path.read_bytes() + b"\n")
    assert load_draw_order(run, "prod") is None


@pytest.mark.parametrize("places", [b"[0,1,1]", b"[0,1,3]", b"[-1,0,1]"])
def test_an_order_in_which_one_stands_twice_or_never_is_none(tmp_path: Path, places: bytes) -> None:
    few = TARGETS[:3]
    made, journal = create_run(tmp_path, make_plan(few, name="prod"), few, run_started(3))
    journal.close()
    (line,) = lines(sums(made))
    found = line.index(b'"drawn":')
    head = line[: found + 8] + places
    sums(made).write_bytes(b'%b,"crc":"%08x"}\n' % (head, crc32(head)))
    assert list(load_frozen_targets(made)) == few
    assert load_draw_order(made, "prod") is None
