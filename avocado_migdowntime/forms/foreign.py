# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that are no text, or in an unsupported packed format: recognised by their first bytes."""

from dataclasses import dataclass

READ = "copy the text out of it"
DOMJOBINFO = "the output of `virsh domjobinfo GUEST`, on the source host while the migration runs"
_LOOKED_AT_BYTES = 1 << 16
_TAR_AT = 257
_STRANGE = 0.02
"""Texts have a smaller share of control characters, packed files a greater one."""


@dataclass(frozen=True)
class Foreign:
    """Something that cannot be used: `what` it is, why not, and what to do or `take` instead."""

    what: str
    why: str
    take: str

    @property
    def sentence(self) -> str:
        """The sentence about such a file, to follow its name."""
        why = f": {self.why}" if self.why else ""
        return f"is {self.what}{why}; {self.take}"


_UNPACK = "unpack it with `{}`, and give its content"
_IMAGE = Foreign("an image", "a screenshot cannot be read", "copy the text itself, or type the figures")
_PACKETS = Foreign("a packet capture", "it has the data sent, but not QEMU's figures", f"take {DOMJOBINFO}")
_PROGRAM = Foreign("a program or a core dump (ELF)", "it has no figures of a migration", f"take {DOMJOBINFO}")
_STREAM = Foreign("a guest's saved state", "it has the guest's memory and no figures", f"take {DOMJOBINFO}")
_OFFICE = Foreign("an office document", "", f"{READ}, or save it as plain text")

MAGIC: tuple[tuple[bytes, Foreign], ...] = (
    (b"\x7fELF", _PROGRAM),
    (b"%PDF-", Foreign("a PDF document", "", f"{READ}, for example with `pdftotext FILE -`")),
    (b"PK\x03\x04", Foreign("a zip archive (or a document kept in one)", "", _UNPACK.format("unzip FILE"))),
    (b"\xfd7zXZ\0", Foreign("packed by xz", "", _UNPACK.format("xz -dk FILE"))),
    (b"\x28\xb5\x2f\xfd", Foreign("packed by zstd", "", _UNPACK.format("zstd -d FILE"))),
    (b"\x1f\x8b", Foreign("packed by gzip twice", "", _UNPACK.format("gzip -dc FILE"))),
    (b"BZh", Foreign("packed by bzip2", "", _UNPACK.format("bunzip2 -k FILE"))),
    (b"\x04\x22\x4d\x18", Foreign("packed by lz4", "", _UNPACK.format("lz4 -d FILE"))),
    (b"\x1f\x9d", Foreign("packed by compress", "", _UNPACK.format("uncompress FILE"))),
    (b"7z\xbc\xaf\x27\x1c", Foreign("a 7z archive", "", _UNPACK.format("7z x FILE"))),
    (b"Rar!\x1a\x07", Foreign("a RAR archive", "", _UNPACK.format("unrar x FILE"))),
    (b"\xd4\xc3\xb2\xa1", _PACKETS),
    (b"\xa1\xb2\xc3\xd4", _PACKETS),
    (b"\x4d\x3c\xb2\xa1", _PACKETS),
    (b"\x0a\x0d\x0d\x0a", _PACKETS),
    (b"\x89PNG\r\n", _IMAGE),
    (b"\xff\xd8\xff", _IMAGE),
    (b"GIF8", _IMAGE),
    (b"RIFF", _IMAGE),
    (b"QEVM", _STREAM),
    (b"LibvirtQemud", _STREAM),
    (b"QFI\xfb", Foreign("a disk image (qcow2)", "it has no figures of a migration", f"take {DOMJOBINFO}")),
    (
        b"LPKSHHRH",
        Foreign("a file of the systemd journal", "", "print it with `journalctl --file FILE`, and give the output"),
    ),
    (b"SQLite format 3", Foreign("an SQLite database", "it has no figures of a migration", f"take {DOMJOBINFO}")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _OFFICE),
    (b"{\\rtf", _OFFICE),
)
"""First bytes, and what a file is that starts with them."""
_TAR = Foreign("a tar archive", "", _UNPACK.format("tar xf FILE"))
_NO_TEXT = Foreign("no text", "its bytes are in no known encoding or compression", f"take {DOMJOBINFO}")


def of_bytes(data: bytes) -> Foreign | None:
    """What a file is that starts with `data` and is no text, or is in an unsupported packed format; None for a text."""
    for magic, foreign in MAGIC:
        if data.startswith(magic):
            return foreign
    if data[_TAR_AT : _TAR_AT + 5] == b"ustar":
        return _TAR
    return _NO_TEXT if _is_binary(data[:_LOOKED_AT_BYTES]) else None


def _is_binary(data: bytes) -> bool:
    """Whether `data` has more control characters than a text in any supported encoding."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or _is_utf16(data):
        return False
    strange = sum(data.count(code) for code in range(32) if code not in b"\t\n\v\f\r\a\b\x1b")
    return strange > len(data) * _STRANGE


def _is_utf16(data: bytes) -> bool:
    """Whether every other byte is 0, as in UTF-16 text that is mostly ASCII."""
    zeros = sorted((data[::2].count(0), data[1::2].count(0)))
    return zeros[1] > 0.7 * (len(data) // 2) > 2 * zeros[0]
