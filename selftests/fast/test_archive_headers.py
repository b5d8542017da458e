# SPDX-License-Identifier: GPL-2.0-or-later
"""Headers of archives that no tar writes: chains of them, large ones, and those that lead back."""

import gzip
import tarfile
import tracemalloc

import pytest

from avocado_migdowntime.basics.archive import unpacked
from avocado_migdowntime.errors import UsageError

REFUSED = r"evil\.tar\.gz has a header that is damaged or too large; make it with tar -czf$"


def header(name, content=b"", kind=tarfile.REGTYPE):
    """A header, and what follows it."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(content)
    return info.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % 512)


def record(name, value):
    """A record of a pax header: its length counts itself."""
    rest = b" " + name + b"=" + value + b"\n"
    length = next(size for size in range(len(rest), len(rest) + 9) if len(b"%d" % size) + len(rest) == size)
    return b"%d" % length + rest


def pax(*records, kind=tarfile.XHDTYPE):
    return header("pax", b"".join(records), kind)


def archive(tmp_path, *parts):
    place = tmp_path / "evil.tar.gz"
    place.write_bytes(gzip.compress(b"".join(parts) + header("results.json", b"{}") + bytes(1024), 1))
    return str(place)


def refused(place):
    with pytest.raises(UsageError, match=REFUSED), unpacked([place]):
        pass


@pytest.mark.parametrize(
    "link",
    [
        pax(record(b"comment", b"x")),
        pax(record(b"comment", b"x"), kind=tarfile.XGLTYPE),
        header("long", b"name\0", tarfile.GNUTYPE_LONGNAME),
    ],
)
def test_a_chain_of_headers_for_one_file_is_refused(tmp_path, link):
    refused(archive(tmp_path, link * 3000))


@pytest.mark.parametrize(
    "large", [pax(record(b"comment", bytes(100_000))), header("long", b"x" * 100_000, tarfile.GNUTYPE_LONGLINK)]
)
def test_a_large_header_is_refused(tmp_path, large):
    refused(archive(tmp_path, large))


@pytest.mark.parametrize("size", [b"-512", b"-1024", b"9" * 30])
def test_a_size_that_leads_back_or_nowhere_is_refused(tmp_path, size):
    with pytest.raises(UsageError, match=f"{REFUSED}|holds more than 4 GiB"):
        unpacked([archive(tmp_path, pax(record(b"size", size)), header("x"))]).__enter__()


def test_many_digits_are_refused_before_they_are_read(tmp_path):
    refused(archive(tmp_path, header("pax", b"1" * 60_000, tarfile.XHDTYPE)))


@pytest.mark.long
@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_headers_of_many_files_take_little_memory(tmp_path, kind):
    many = [
        pax(*(record(b"%d-%d" % (file, name), b"x") for name in range(400)), kind=kind) + header(f"{file}")
        for file in range(40)
    ]
    place = archive(tmp_path, *many)
    tracemalloc.start()
    with unpacked([place]):
        assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


def test_what_tar_writes_of_long_names_and_attributes_is_read(tmp_path):
    name = "/".join(["d" * 200, "e" * 200, "results.json"])
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        place = tmp_path / "good.tar.gz"
        with tarfile.open(place, "w:gz", format=form, pax_headers={"comment": "of all"}) as written:
            for number in range(3):
                info = tarfile.TarInfo(f"{number}/{name}")
                info.pax_headers = {"SCHILY.xattr.user.some": "x" * 5000}
                written.addfile(info)
        with unpacked([str(place)]) as directories:
            top = directories[str(place)]
            assert all((tmp_path / top / f"{number}" / name).is_file() for number in range(3))
