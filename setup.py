"""What `pyproject.toml` cannot say: an sdist that builds the same each time, and what a wheel brings along."""

from __future__ import annotations

import gzip
import os
import sys
import tarfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from setuptools import setup  # before distutils, which it brings along
from setuptools.command.sdist import sdist

from distutils.command.install_data import install_data  # isort: skip

HERE = Path(__file__).parent

#: What an archive says of the time of each file when the environment says nothing: the first that a wheel can say.
FIRST = 315532800


#: What makes completions and the man page, and what the command line needs to be imported for them.
_MAKERS = ("shtab", "argparse_manpage", "msgspec", "yaml")


class ReproducibleSdist(sdist):
    """Packs the same bytes from the same files: in order, of nobody, at `SOURCE_DATE_EPOCH`."""

    def make_archive(self, base_name: str, format: str, *args: Any, base_dir: str, **options: Any) -> str:  # noqa: A002  # the name that setuptools calls it by
        """Pack a folder."""
        if format != "gztar":
            return str(super().make_archive(base_name, format, *args, base_dir=base_dir, **options))
        epoch, name = int(os.environ.get("SOURCE_DATE_EPOCH", FIRST)), f"{base_name}.tar.gz"

        def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
            entry.mtime, entry.mode = epoch, 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            return entry

        with (
            open(name, "wb") as file,  # noqa: PTH123  # as setuptools names it
            gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=epoch) as packed,
            tarfile.open(mode="w", fileobj=packed, format=tarfile.PAX_FORMAT) as archive,
        ):
            for path in sorted(Path(base_dir).rglob("*")):
                archive.add(path, recursive=False, filter=plain)
        return name


class SharedData(install_data):
    """Brings completions and the man page along, where what makes them is at hand: in `make dist`."""

    def run(self) -> None:
        """Make them, and install them below the prefix."""
        if all(map(find_spec, _MAKERS)):
            sys.path[:0] = [str(HERE), str(HERE / "distribution")]
            from share import write_share  # noqa: PLC0415  # only then

            made = HERE / "build/share-files"
            self.data_files = [
                (str(path.parent.relative_to(made)), [str(path.relative_to(HERE))]) for path in write_share(made)
            ]
        super().run()


setup(
    cmdclass={"sdist": ReproducibleSdist, "install_data": SharedData},
    data_files=[("", [])],  # so that `install_data` is called
)
