r"""Files to text: size, hash, encoding.

In: the path or the bytes of a file. Out: its text with line ends as ``\n``, and a note where the encoding had to be
assumed. Formats are not known here.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from declinethemes.errors import InputError

MAX_MB = 50.0
"""Largest file that is read unless the caller says otherwise, in megabytes (10**6 bytes)."""

_SIGNATURES = (
    (b"PK\x03\x04", "a zip archive (Word or Excel file?)"),
    (b"%PDF", "a PDF"),
    (b"\xd0\xcf\x11\xe0", "an old or password-protected Office file"),
    (b"{\\rtf", "a rich text (RTF) file"),
    (b"RIFF", "an audio or video file"),
    (b"ID3", "an audio file"),
    (b"\x89PNG", "a picture"),
)
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def read_bytes(path: Path, *, max_mb: float = MAX_MB) -> bytes:
    """Return the bytes of a file after checking that it exists, is not empty and is not too large.

    Raises
    ------
    InputError
        The file is missing, is a folder, cannot be opened, is empty, or is larger than `max_mb` megabytes.
    """
    if not path.exists():
        raise InputError(f"{path}: there is no such file")
    if path.is_dir():
        raise InputError(f"{path}: a file was expected, this is a folder")
    try:
        size = path.stat().st_size
        if size > max_mb * 1e6:
            raise InputError(f"{path.name}: too large, {size / 1e6:.1f} MB; the limit is {max_mb:g} MB (max_mb)")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path.name}: cannot be opened ({error.strerror})") from error
    if not data.strip():
        raise InputError(f"{path.name}: the file is empty")
    return data


def digest(data: bytes) -> str:
    """Return the sha256 of bytes as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def decode(data: bytes, name: str) -> tuple[str, str | None]:
    r"""Turn bytes into text.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        Name of the file, for messages.

    Returns
    -------
    tuple of str and (str or None)
        The text (no byte order mark, line ends as ``\n``), and a note if neither a byte order mark nor UTF-8 decided.

    Raises
    ------
    InputError
        The bytes are not text, or there is nothing but white space.
    """
    for signature, what in _SIGNATURES:
        if data.startswith(signature):
            raise InputError(f"{name}: text was expected, this is {what}; save it as text or under its own suffix")
    text, note = _decoded(data, name)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise InputError(f"{name}: the file is empty")
    return text, note


def _decoded(data: bytes, name: str) -> tuple[str, str | None]:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            try:
                return data.decode(encoding), None
            except UnicodeDecodeError as error:
                raise InputError(
                    f"{name}: begins as {encoding} and does not go on as such; save it as UTF-8"
                ) from error
    if b"\x00" in data:
        raise InputError(
            f"{name}: binary data where text was expected; if it is UTF-16, save it with its mark or as UTF-8"
        )
    try:
        text = data.decode("utf-8")
        note = None
    except UnicodeDecodeError:
        try:
            text = data.decode("cp1252")
            note = "not UTF-8; read as Windows-1252 (Latin-1)"
        except UnicodeDecodeError:
            text = data.decode("latin-1")
            note = "not UTF-8; read as Latin-1"
    odd = sum(character < " " and character not in "\t\n\r\x0b\x0c\x1b" for character in text[:10_000])
    if odd > 0.02 * min(len(text), 10_000):
        raise InputError(f"{name}: binary data where text was expected")
    return text, note
