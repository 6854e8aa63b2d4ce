import os
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from emocal_rl.platform.data import archives
from emocal_rl.platform.data.archives import open_file
from emocal_rl.platform.data.location import Location


def read(url: object) -> bytes:
    with open_file(Location.parse(str(url))) as file:
        return file.read()


def write_zip(path: Path, *members: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in members:
            archive.writestr(name, name * 1000)
    return path


def test_an_archive_is_opened_once_for_all_its_readers(tmp_path: Path) -> None:
    names = [f"images/{number}.png" for number in range(40)]
    path = write_zip(tmp_path / "x.zip", *names)
    before = archives._opened.cache_info().misses
    with ThreadPoolExecutor(8) as readers:
        found = list(readers.map(lambda name: read(f"zip://{name}::{path}"), names * 5))
    assert found == [(name * 1000).encode() for name in names * 5]
    assert archives._opened.cache_info().misses == before + 1


def test_a_replaced_archive_is_opened_anew(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", "a")
    assert read(f"zip://a::{path}") == b"a" * 1000
    write_zip(path, "b")
    os.utime(path, ns=(0, 0))
    assert read(f"zip://b::{path}") == b"b" * 1000
    with pytest.raises(FileNotFoundError):
        read(f"zip://a::{path}")


def test_a_tar_and_a_plain_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"plain")
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        archive.add(tmp_path / "a.txt", "sub/a.txt")
    assert read(tmp_path / "a.txt") == read(f"tar://sub/a.txt::{tmp_path}/x.tar") == b"plain"
