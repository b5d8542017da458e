# SPDX-License-Identifier: GPL-2.0-or-later
"""What is recognised though nothing can be read of it, and what is said to be taken instead."""

import bz2
import gzip
import io
import json
import lzma
import random
import re
import tarfile
import zipfile

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse, read
from avocado_migdowntime.forms.foreign import of_bytes
from avocado_migdowntime.forms.foreign_texts import BARE_TEXTS, TEXTS, of_text
from avocado_migdowntime.forms.reader import Reader

from ..support.documents import TOP
from ..support.recorded import RECORDINGS
from ..support.refused_texts import FOREIGN

TEXT = b"Migration status: active\nremaining ram: 376892 kbytes\n" * 20


def zipped():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("log.txt", TEXT)
    return packed.getvalue()


def tarred():
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("log.txt"), io.BytesIO())
    return packed.getvalue()


@pytest.mark.parametrize(
    ("data", "what", "take"),
    [
        (lzma.compress(TEXT), "packed by xz", "`xz -dk FILE`"),
        (bz2.compress(TEXT), "packed by bzip2", "`bunzip2 -k FILE`"),
        (zipped(), "a zip archive", "`unzip FILE`"),
        (tarred(), "a tar archive", "`tar xf FILE`"),
        (b"\x28\xb5\x2f\xfd\x04\x58", "packed by zstd", "`zstd -d FILE`"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF document", "pdftotext"),
        (b"\x7fELF\x02\x01\x01\0", "a program or a core dump (ELF)", "virsh domjobinfo"),
        (b"\x89PNG\r\n\x1a\n", "an image", "copy the text"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "an image", "copy the text"),
        (b"\xd4\xc3\xb2\xa1\x02\0\x04\0", "a packet capture", "virsh domjobinfo"),
        (b"QEVM\0\0\0\x03", "a guest's saved state", "virsh domjobinfo"),
        (random.Random(0).randbytes(4096), "no text", "virsh domjobinfo"),
        (bytes(4096), "no text", "virsh domjobinfo"),
    ],
)
def test_a_file_that_is_no_text_is_called_what_it_is(data, what, take):
    foreign = of_bytes(data)
    assert foreign is not None
    assert foreign.what.startswith(what)
    assert take in foreign.take
    assert foreign.sentence.startswith(f"is {what}")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_a_text_is_a_text_in_each_encoding(encoding):
    assert of_bytes(("Übertragung: " + TEXT.decode()).encode(encoding)) is None


def test_a_text_in_a_terminal_s_colours_is_a_text():
    assert of_bytes(b"\x1b[1mMigration status: active\x1b[0m\r\n") is None


@pytest.mark.parametrize(("what", "text"), FOREIGN.items())
def test_a_text_of_something_else_is_called_what_it_is(what, text):
    foreign = of_text(text)
    assert foreign is not None and foreign.what == what
    reader = Reader()
    assert [*reader.feed(f"{text}\n".encode()), *reader.end()] == []


@pytest.mark.parametrize(("what", "text"), FOREIGN.items())
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_the_sentence_says_what_it_is_and_what_to_do(what, text, encoding):
    with pytest.raises(UsageError) as caught:
        parse(text.encode(encoding))
    assert re.fullmatch(rf"is {re.escape(what)}(: [^;]+)?; (take|copy|fix|log|give|run) .+", str(caught.value))


def test_what_is_packed_twice_is_told_by_what_is_within():
    with pytest.raises(UsageError, match="is a tar archive; unpack it with `tar xf FILE`"):
        parse(gzip.compress(tarred()))


def test_a_text_that_is_packed_twice_in_the_same_way_is_told_so():
    with pytest.raises(
        UsageError, match="^is packed by gzip twice; unpack it with `gzip -dc FILE`, and give its content$"
    ):
        parse(gzip.compress(gzip.compress(TEXT)))


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("https://a.invalid/x.gz", "of a URL, give the content: curl -L https://a.invalid/x.gz, and - for the file"),
        (".", "`report`"),
    ],
)
def test_what_is_no_file_is_told_with_what_to_give(name, instead):
    with pytest.raises(UsageError) as caught:
        read(name)
    assert str(caught.value).startswith(f"{name}: ") and instead in str(caught.value)


def test_each_text_that_is_known_has_an_example():
    assert {foreign.what for _, foreign in (*TEXTS, *BARE_TEXTS)} == set(FOREIGN)


REAL = [*RECORDINGS.glob("*.txt"), *(TOP / "selftests" / "texts").glob("*.txt")]


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_what_can_be_read_is_nothing_foreign(path):
    assert of_bytes(path.read_bytes()) is None
    assert not any(pattern.search(path.read_text()) for pattern, _ in TEXTS)


def test_a_text_in_another_encoding_is_shown_as_far_as_it_is_known():
    with pytest.raises(UsageError, match="^'the caf\ufffd is closed' matches no known text; "):
        parse(b"the caf\xe9 is closed\n")


def test_what_is_quoted_is_recognised_by_a_line_of_it():
    with pytest.raises(UsageError, match="^is the output of `virsh migrate --verbose`: "):
        parse(b"> Hello, it is like this:\n> Migration: [ 97 %]\n")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{"metric":{"__name__":"kubevirt_vmi_migration_data_remaining_bytes"}}', "a scrape of KubeVirt's metrics"),
        ("# TYPE kubevirt_migrate_vmi_data_remaining_bytes gauge", "a scrape of KubeVirt's metrics"),
        (
            "Données restantes : 224,113 Mio\nMémoire totale : 4,016 Gio\n",
            "the output of `virsh domjobinfo` in another language than English",
        ),
        ("  migrationState:\n    completed: true\n    mode: PostCopy", "a KubeVirt object"),
    ],
)
def test_a_part_of_it_is_called_the_same(text, what):
    with pytest.raises(UsageError, match=f"^is {what}[:;] "):
        parse(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "Hi, it hangs.\nRAM: 16 GiB\nDisk: 100 GiB\nping: 3 ms\n",
        "L1i cache: 512 KiB\nL2 cache: 16 MiB\n",
        "Capacity:       20.000 GiB\nAllocation:     3.221 GiB\nPhysical:       3.221 GiB\n",
        "VM memory size: 16.000 GiB\nactual downtime: 312 ms\n",
    ],
)
def test_sizes_in_other_texts_are_no_output_of_virsh_in_another_language(text):
    with pytest.raises(UsageError, match=" matches no known text; "):
        parse(text.encode())


def test_english_behind_an_unknown_head_is_no_other_language():
    text = "?? Memory remaining: 224.113 MiB\n?? Memory processed: 6.568 GiB\n?? Time elapsed: 60000 ms\n"
    with pytest.raises(UsageError, match="^is a text that names figures of a migration: "):
        parse(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "info: &{Type:2 TimeElapsed:60000 MemRemainingSet:true MemRemaining:235000000 MemBps:117500000}\n",
        "{Status:active ExpectedDowntime:2950 RAM:{Remaining:308641792 Mbps:894.12 DirtySyncCount:11}}\n",
        "Info { status: Some(active), ram: Some(Ram { remaining: 308641792 }), expected_downtime: Some(2950) }\n",
    ],
)
def test_what_programs_print_of_their_own_structures_is_named_too(text):
    with pytest.raises(UsageError, match="^is a text that names figures of a migration: "):
        parse(text.encode())


def test_the_answer_of_a_query_for_libvirts_metrics_is_called_what_it_is():
    metric = {"__name__": "libvirt_domain_job_info_memory_remaining_bytes", "domain": "vm1"}
    answer = {"status": "success", "data": {"result": [{"metric": metric, "value": [1714557600.1, "28225000000"]}]}}
    with pytest.raises(UsageError, match="is a scrape of libvirt's metrics"):
        parse(json.dumps(answer).encode())
