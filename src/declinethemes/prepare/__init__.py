"""Before the calls, and against what was presumed: decline rates, and the reasons a hiring team gave.

`rates` holds `decline_rates` and its result, `decided` says which offers count, `compare` compares the levels of a
segment, `chart` draws them; `reasons` sets presumed reasons against what candidates said.
"""

from declinethemes.prepare.rates import DeclineRates, decline_rates

__all__ = ["DeclineRates", "decline_rates"]
