"""Energies that all structures of one size share and no sum over atoms can give.

The electrons of a metal cluster fill shells of the whole, so that its energy depends on their number: clusters of an
odd and of an even one differ, whatever their shape (W. A. de Heer, Rev. Mod. Phys. 65, 611 (1993)). Networks that have
to meet such energies tell the sizes by their atoms' surroundings, and misjudge other sizes all the more. Here each size
(composition) g has a shift u_g in the training, which the potential does not keep: the loss is the least over u of
sum_s w_s c_s^2 (d_s - u_g)^2 + sum_g L_g u_g^2, least squares with a random effect of each group (C. R. Henderson,
Biometrics 31, 423 (1975)). With r_s = sqrt(w_s) c_s d_s, v_s = sqrt(w_s) c_s and W_g = |v|^2 in each group that is
r^T (I - v v^T / (W_g + L_g)) r, and u_g = v^T r / (W_g + L_g). A shift costs as much as the same error of the energy of
one structure, L_g the mean of v^2.
"""

from __future__ import annotations

import numpy as np


class SizeShifts:
    """The shifts of S structures; group (S,) from 0 on, -1 for structures that have none; coefficient c and weights w
    (S,) of the squared residuals are those of the least-squares problem.
    """

    def __init__(self, group: np.ndarray, coefficient: np.ndarray, weights: np.ndarray) -> None:
        self.group, self.count = group + 1, int(group.max()) + 2
        self.v = np.where(group < 0, 0.0, np.sqrt(weights) * coefficient)
        total = np.bincount(self.group, self.v**2, self.count)
        members = np.maximum(np.bincount(self.group, self.v > 0.0, self.count), 1)
        whole = np.where(total > 0.0, total, 1.0)
        kept = 1.0 / (1.0 + members)  # L / (W + L)
        self.inverse = (total > 0.0) * (1.0 - kept) / whole  # 1 / (W + L)
        self.root = (total > 0.0) * (1.0 - np.sqrt(kept)) / whole  # (I - root v v^T)^2 = I - inverse v v^T

    def of(self, residual: np.ndarray) -> np.ndarray:
        """(S,) shift of each structure, of the residuals r (S,)."""
        return (np.bincount(self.group, self.v * residual, self.count) * self.inverse)[self.group]

    def sums(self, rows: np.ndarray, structures: np.ndarray) -> np.ndarray:
        """(groups, P) v^T times rows (R, P), those of some `structures` (R,)."""
        mine = self.group[structures] == np.arange(self.count)[:, None]
        return (mine * self.v[structures]) @ rows

    def left(self, rows: np.ndarray, structures: np.ndarray) -> np.ndarray:
        """(R, P) the root of I - v v^T / (W + L) times rows, those of all `structures` (R,) with a weight."""
        taken = (self.root[:, None] * self.sums(rows, structures))[self.group[structures]]
        return rows - self.v[structures, None] * taken

    def curvature(self, sums: np.ndarray) -> np.ndarray:
        """(P, P) what J^T J has too much by, from the `sums` (groups, P) of the rows of J."""
        return sums.T @ (self.inverse[:, None] * sums)
