"""What the pages of this package share: HTML from a template beside it, and Word files without traces of the library.

In: the name of a template and its values, or a Word document being written. Out: text or bytes. What stands on a page
is decided by the module that makes it.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


def render(template: str, **values: Any) -> str:
    """Return a template of this package filled in: one HTML page without script or outside resource."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)


def new_document(title: str) -> Any:
    """Return an empty Word document with its title and without the library's name and date in its properties."""
    import docx

    document = docx.Document()
    document.core_properties.title = title
    document.core_properties.author = ""
    document.core_properties.comments = ""
    return document


def narrow(document: Any) -> None:
    """Make the margins, the type and the gaps of a Word document small, so that one page holds more."""
    from docx.shared import Cm, Pt

    for section in document.sections:
        section.page_width, section.page_height = Cm(21), Cm(29.7)
        section.left_margin = section.right_margin = Cm(1.6)
        section.top_margin = section.bottom_margin = Cm(1.2)
    sizes = {"Normal": 9, "List Bullet": 9, "List Bullet 2": 9, "Heading 1": 11, "Heading 2": 9.5, "Title": 15}
    for name, size in sizes.items():
        style = document.styles[name]
        style.font.size = Pt(size)
        style.paragraph_format.space_before = Pt(5 if name == "Heading 1" else 0)
        style.paragraph_format.space_after = Pt(1)
        style.paragraph_format.line_spacing = 1.0


def saved(document: Any) -> bytes:
    """Return a Word document as the bytes of a file."""
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()
