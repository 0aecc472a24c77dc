"""The note form: how its lines look, written down once for the guide that writes it and the reader that reads it.

A heading ends in an id in square brackets: ``How were the people you met? [experience.people]`` is a question, and
``Experience of the process [experience]`` the title of a category. Everything below a question that is neither is
what was written there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

TITLE = "Note form: a conversation with a candidate who declined"
INSTRUCTIONS = (
    "How to use this form: write under the question that was answered, one point per line.",
    "Leave a question empty if it was not asked or not answered: it will not count as asked.",
    "Do not change the question lines. A line of your own is kept as it is, whatever it looks like.",
    "Save the file under a name that begins with the candidate id, such as K001 notes.",
)
"""Lines that are in every form; the reader leaves out the title and a line that is one of them to the letter."""
OTHER = ("other.anything", "Was there anything that we did not ask about?")
"""Id and text of the last question of every form."""

_HEADING = re.compile(r"(\S.*?)\s+\[([\w-]+(?:\.[\w.-]+)?)\]")


def heading_text(item: str, label: str) -> str:
    """Return the text of a heading.

    Examples
    --------
    >>> heading_text("experience.people", "How were the people you met?")
    'How were the people you met? [experience.people]'
    """
    return f"{' '.join(label.split())} [{item}]"


def split_heading(text: str) -> tuple[str, str] | None:
    """Return (id, label) of the text of a heading, or None if it is not one of a form.

    Examples
    --------
    >>> split_heading("How were the people you met? [experience.people]")
    ('experience.people', 'How were the people you met?')
    """
    match = _HEADING.fullmatch(text.strip())
    return (match[2], match[1]) if match else None


def is_form(headings: Sequence[str]) -> bool:
    """Return whether these are the headings of a note form: at least one of them is a question."""
    return any((found := split_heading(text)) is not None and "." in found[0] for text in headings)
