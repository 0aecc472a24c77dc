"""A linear program whose totals stay while its aim changes: many counts are bounded against the same totals.

In: equalities, inequalities and upper limits; then a cost at a time. Out: the solution with the least cost. HiGHS goes
on from where the last aim ended, which is faster than beginning anew. What is known and what is asked for is put
together in `program`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from declinethemes.disclosure.population import Floats


class Solver:
    """Minimise costs over one set of constraints; unknowns are not negative.

    Parameters
    ----------
    equal, right : sparse array (n_equal, n_unknowns), array (n_equal,)
        ``equal @ x == right``.
    under, limit : sparse array (n_under, n_unknowns), array (n_under,)
        ``under @ x <= limit``.
    most : array, shape (n_unknowns,)
        Upper limits.

    References
    ----------
    Huangfu and Hall (2018), doi:10.1007/s12532-017-0130-5
    """

    def __init__(self, equal: Any, right: Floats, under: Any, limit: Floats, most: Floats) -> None:
        import highspy
        from scipy import sparse

        rows = sparse.csr_array(sparse.vstack([equal, under], format="csr"))
        program = highspy.HighsLp()
        program.num_row_, program.num_col_ = rows.shape
        program.col_cost_, program.col_lower_ = np.zeros(len(most)), np.zeros(len(most))
        program.col_upper_ = np.asarray(most, dtype=float)
        program.row_lower_ = np.concatenate([right, np.full(len(limit), -highspy.kHighsInf)])
        program.row_upper_ = np.concatenate([right, limit])
        program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        program.a_matrix_.start_, program.a_matrix_.index_ = rows.indptr, rows.indices
        program.a_matrix_.value_ = rows.data
        self._optimal, self._equal = highspy.HighsModelStatus.kOptimal, len(right)
        self._columns = np.arange(len(most), dtype=np.int32)
        self._highs = highspy.Highs()
        self._highs.setOptionValue("output_flag", False)
        self._highs.setOptionValue("threads", 1)
        self._highs.setOptionValue("simplex_strategy", 4)  # primal: another aim leaves the last basis feasible
        self._highs.passModel(program)

    def minimise(self, cost: Floats) -> tuple[Floats, Floats] | None:
        """Return the solution with the least cost, and the marginal cost of each equality; None without a solution."""
        self._highs.changeColsCost(len(cost), self._columns, cost)
        self._highs.run()
        if self._highs.getModelStatus() != self._optimal:
            self._highs.clearSolver()  # once more from the start: the last basis may be of no use
            self._highs.run()
        if self._highs.getModelStatus() != self._optimal:
            return None
        solution = self._highs.getSolution()
        return np.array(solution.col_value), np.array(solution.row_dual)[: self._equal]
