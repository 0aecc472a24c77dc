"""What may be shown to others, and what everything shown so far gives away together.

`cells` hides what is too small in one table and cleans quotes. A release is made by `population` (the cells people may
be in), `tables` (which cells each total adds up), `audit` (what an attacker can bound) and `release` (what is hidden).
"""

from declinethemes.disclosure.cells import may_quote, protect, scrub_quote
from declinethemes.disclosure.release import Release, make_release
from declinethemes.disclosure.tables import Answers, Request

__all__ = ["Answers", "Release", "Request", "make_release", "may_quote", "protect", "scrub_quote"]
