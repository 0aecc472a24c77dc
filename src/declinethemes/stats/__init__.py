"""Statistics as pure functions over counts and arrays.

In: counts, 0/1 arrays, tables. Out: arrays, floats or small frozen results. The unit is always the candidate. Which
counts to compare, what to call the result and what may be shown are decided elsewhere (`crosstab`, `disclosure`).

`proportions` (intervals and exact tests), `power` (what a comparison could have found), `multiplicity`, `strata`,
`audit`, `agreement`, `trend`, `thresholds` (which counts are too small to show).
"""
