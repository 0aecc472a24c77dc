"""SubRip subtitles (.srt).

In: the text of an .srt file. Out: cues with speaker (``Name: text``), seconds and text. Styling tags are left out.
"""

from __future__ import annotations

import html
import re

from declinethemes.errors import InputError
from declinethemes.ingest.cues import Reading, collapse
from declinethemes.ingest.vtt import label_cues, speaker_notes, timed_blocks

_TAG = re.compile(r"</?(?:i|b|u|font)(?:\s[^>]*)?>|\{\\[^}]*\}", re.IGNORECASE)


def read_srt(text: str, name: str) -> Reading:
    """Return the cues of a SubRip text.

    Parameters
    ----------
    text : str
        The whole file.
    name : str
        Name of the file, for messages.

    Raises
    ------
    InputError
        There is no cue with text.
    """
    blocks = timed_blocks(text)
    cues = label_cues(
        [(start, end, None, collapse(html.unescape(_TAG.sub("", payload)))) for start, end, payload in blocks]
    )
    if not cues:
        raise InputError(f"{name}: no cue found in a .srt; cues are 'start --> end' lines followed by text")
    return Reading(cues=cues, notes=speaker_notes(cues))
