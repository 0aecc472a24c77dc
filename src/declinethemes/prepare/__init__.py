"""Before the calls, and against what was presumed: decline rates, and the reasons a hiring team gave.

`rates` holds `decline_rates` and its result, `decided` says which offers count, `compare` compares the levels of a
segment, `trend` looks along quarters, `chart` draws them; `presumed` reads a reason as written, `reasons` sets presumed
reasons against what candidates said.
"""

from declinethemes.prepare.presumed import Reasons, load_reasons
from declinethemes.prepare.rates import DeclineRates, decline_rates
from declinethemes.prepare.reasons import ReasonGap, reason_gap

__all__ = ["DeclineRates", "ReasonGap", "Reasons", "decline_rates", "load_reasons", "reason_gap"]
