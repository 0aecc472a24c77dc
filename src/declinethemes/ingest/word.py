"""Word files (.docx).

In: the bytes of a .docx. Out: cues. Paragraphs and tables are read in their order; paragraphs with a heading style, or
wholly bold, are headings. Headers, footers, comments and text boxes are not read.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from typing import Any

from declinethemes.errors import InputError
from declinethemes.framework.form import split_heading
from declinethemes.ingest.cues import Reading, collapse, seconds
from declinethemes.ingest.speakers import fold, words
from declinethemes.ingest.text import Line, from_lines

_COLUMN_HEADS = words(
    "speaker,name,text,time,timestamp,start,question,questions,answer,answers,response,note,notes,transcript"
)
_UNPACKED_MB = 500.0


def read_word(data: bytes, name: str) -> Reading:
    """Return the cues of a Word file.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        Name of the file, for messages.

    Raises
    ------
    InputError
        This is no Word file (or protected by a password), or there is no text in it.
    """
    check_package(data, name, what="Word file (.docx)", part="word/document.xml")
    import docx
    from docx.opc.exceptions import OpcError

    try:
        document = docx.Document(io.BytesIO(data))
    except (ValueError, KeyError, SyntaxError, OpcError) as error:
        raise InputError(f"{name}: a Word file (.docx) was expected, it cannot be read ({error})") from error
    lines: list[Line] = []
    styles = {style.style_id: str(style.name or "") for style in document.styles}
    for block in document.iter_inner_content():
        lines += _table_lines(block) if hasattr(block, "rows") else _paragraph_lines(block, styles)
    if not any(line.text for line in lines):
        raise InputError(f"{name}: the file is empty (no text in paragraphs or tables)")
    return from_lines(lines, name)


def check_package(data: bytes, name: str, *, what: str, part: str) -> None:
    """Raise an InputError unless the bytes are a zip package that holds `part` and unpacks to a sane size."""
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise InputError(f"{name}: protected by a password, or of the old Office format; save it as a plain {what}")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            sizes = {entry.filename: entry.file_size for entry in package.infolist()}
    except zipfile.BadZipFile as error:
        raise InputError(f"{name}: a {what} was expected, the file is something else or damaged") from error
    if part not in sizes:
        raise InputError(f"{name}: a {what} was expected, the package has no {part}")
    if sum(sizes.values()) > _UNPACKED_MB * 1e6:
        raise InputError(f"{name}: too large, it unpacks to more than {_UNPACKED_MB:g} MB")


def _paragraph_lines(paragraph: Any, styles: Mapping[str, str]) -> list[Line]:
    """Return the lines of a paragraph; a line break inside it begins a new line."""
    style = styles.get(paragraph._p.style, "")  # `paragraph.style` searches all styles for the default every time
    runs = [run for run in paragraph.runs if run.text.strip()]
    bold = bool(runs) and all(run.bold for run in runs)
    texts = [collapse(part) for part in paragraph.text.split("\n")]
    is_heading = style.startswith(("Heading", "Title", "Subtitle")) or (bold and len(paragraph.text.split()) <= 20)
    item = style.startswith("List")
    if style.startswith("Heading") and len(texts) == 1 and split_heading(texts[0]):
        return [Line(text=texts[0], heading=True)]  # of a note form, whatever signs are in the question
    if len(texts) == 1 and not re.match(r"[^:]+:\s*\S", texts[0]):
        return [Line(text=texts[0], heading=is_heading, item=item)]
    return [Line(text=text, item=item) for text in texts]


def _table_lines(table: Any) -> list[Line]:
    """Return the lines of a table: ``speaker | text`` and ``question | answer`` rows, else one line per cell."""
    lines: list[Line] = []
    for row in table.rows:
        cells: list[str] = []
        seen: set[int] = set()
        for cell in row.cells:  # a merged cell comes once for every column that it spans
            if id(cell._tc) not in seen:
                seen.add(id(cell._tc))
                cells.append(collapse(cell.text))
        filled = [cell for cell in cells if cell and seconds(cell) is None]
        if not filled or {fold(cell) for cell in filled} <= _COLUMN_HEADS:
            continue
        if len(filled) != 2:
            lines += [Line(text=cell) for cell in filled]
        elif len(filled[0].split()) <= 5 and not filled[0].endswith("?"):
            lines.append(Line(text=f"{filled[0].rstrip(':')}: {filled[1]}"))
        else:
            lines += [Line(text=filled[0], heading=True), Line(text=filled[1])]
        lines.append(Line(text=""))
    return lines
