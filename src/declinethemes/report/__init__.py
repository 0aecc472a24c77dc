"""The report: one dict of everything that is shown, and the page that shows it.

`summarise` makes the dict, `comparisons` its findings, `over_time` those over batches, `topics` what was said, `notes`
the plain words on quality and method; `html` renders and computes nothing.
"""

from declinethemes.report.html import render_html
from declinethemes.report.summarise import summarise
from declinethemes.report.topics import WORDS_WITHHELD, quotes_to_approve, shown_label

__all__ = ["WORDS_WITHHELD", "quotes_to_approve", "render_html", "shown_label", "summarise"]
