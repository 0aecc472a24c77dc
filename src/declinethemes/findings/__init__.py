"""Cross-tabulation: who mentions what, by segment.

`table` holds the function and its result, `inputs` reads the caller's frames into arrays, `compare` makes the
findings of one segment, `corrections` the parts that change or qualify them (strata, audits, tipping points,
intersections).
"""

from declinethemes.findings.table import Crosstab, crosstab, sentence
from declinethemes.findings.trend import Trend, trend

__all__ = ["Crosstab", "Trend", "crosstab", "sentence", "trend"]
