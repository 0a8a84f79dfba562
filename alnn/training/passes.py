"""Forward and backward passes of one species' network, and of their change along tangents.

With layers z_l = W_l h_(l-1) + b_l, h_l = a(z_l), h_0 = x and the output y = z_L, the derivatives d_l = dy/dz_l come
from a backward pass. Along a tangent x' the output changes by y', from a forward pass of h'_l; what y' changes by with
the weights needs d'_l, the change of d_l along the tangent, from one more backward pass (B. A. Pearlmutter, Neural
Comput. 6, 147 (1994)): dy'/dW_l = d'_l h_(l-1)^T + d_l h'_(l-1)^T and dy'/db_l = d'_l.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

from alnn.training.activations import ACTIVATIONS


@dataclass(frozen=True)
class SitePass:
    """Forward pass of A sites through a network of L layers; the backward pass when it is first asked for.

    matrices: L times [W | b], (n_out, n_in + 1); inputs: h_0 .. h_(L-1), each (A, n_in); slopes and curvatures: a'(z_l)
    and a''(z_l) of the hidden layers; outputs: y (A,).
    """

    matrices: list[np.ndarray]
    inputs: list[np.ndarray]
    slopes: list[np.ndarray]
    curvatures: list[np.ndarray]
    outputs: np.ndarray

    @cached_property
    def _backward(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        deltas, bends = [np.ones((len(self.outputs), 1), self.outputs.dtype)], []
        for level in range(len(self.matrices) - 2, -1, -1):
            pull = deltas[0] @ self.matrices[level + 1][:, :-1]
            deltas.insert(0, pull * self.slopes[level])
            bends.insert(0, pull * self.curvatures[level])
        return deltas, bends

    @property
    def deltas(self) -> list[np.ndarray]:
        """d_1 .. d_L, each (A, n_out)."""
        return self._backward[0]

    @property
    def bends(self) -> list[np.ndarray]:
        """dy/dh_l a''(z_l) of the hidden layers."""
        return self._backward[1]

    def astype(self, kind: type) -> SitePass:
        """The same in another precision."""
        lists = {f.name: [a.astype(kind) for a in getattr(self, f.name)] for f in fields(self)[:-1]}
        return replace(self, **lists, outputs=self.outputs.astype(kind))

    def slope(self) -> np.ndarray:
        """dy/dx, (A, functions)."""
        return self.deltas[0] @ self.matrices[0][:, :-1]


def site_pass(matrices: Sequence[np.ndarray], activation: str, x: np.ndarray) -> SitePass:
    """The pass of the sites x (A, functions)."""
    inputs, slopes, curvatures = [x], [], []
    for matrix in matrices[:-1]:
        h, slope, curvature = ACTIVATIONS[activation](inputs[-1] @ matrix[:, :-1].T + matrix[:, -1])
        inputs.append(h), slopes.append(slope), curvatures.append(curvature)
    outputs = inputs[-1] @ matrices[-1][0, :-1] + matrices[-1][0, -1]
    return SitePass(list(matrices), inputs, slopes, curvatures, outputs)


def tangent_pass(
    sites: SitePass, tangent: np.ndarray, at: np.ndarray | slice = slice(None)
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """h'_0 .. h'_(L-1) and d'_1 .. d'_(L-1) along tangents (E, functions), each of the site `at` (E,)."""
    forward, changes = [tangent], []
    for matrix, slope in zip(sites.matrices[:-1], sites.slopes, strict=True):
        changes.append(forward[-1] @ matrix[:, :-1].T)
        forward.append(changes[-1] * slope[at])
    backward: list[np.ndarray] = []
    for level in range(len(changes) - 1, -1, -1):
        delta = sites.bends[level][at] * changes[level]
        if backward:
            delta += (backward[0] @ sites.matrices[level + 1][:, :-1]) * sites.slopes[level][at]
        backward.insert(0, delta)
    return forward, backward


def weighted_gradient(sites: SitePass, weight: np.ndarray, tangent: np.ndarray | None) -> np.ndarray:
    """Derivative of sum_i (weight_i y_i + y'_i along tangent_i) by the flat weights, (P,); weight (A,), tangent (A,
    functions).
    """
    if tangent is not None:
        forward, backward = tangent_pass(sites, tangent)
    parts = []
    for level, (h, delta) in enumerate(zip(sites.inputs, sites.deltas, strict=True)):
        own = delta * weight[:, None]
        if tangent is not None and level < len(backward):
            own = own + backward[level]
        matrix = own.T @ h
        if tangent is not None:
            matrix += delta.T @ forward[level]
        parts.append(np.column_stack([matrix, own.sum(axis=0)]).ravel())
    return np.concatenate(parts)


def row_gradients(
    sites: SitePass, at: np.ndarray, used: np.ndarray, tangent: np.ndarray | None = None
) -> np.ndarray:
    """For every row the derivative of a sum over its sites by the flat weights, (R, P).

    at: (R, K) sites of the rows, of which those count that are `used` (R, K). The sum is of y, or with tangents (R K,
    functions) of y'.
    """
    rows, width = at.shape
    flat, mask = at.ravel(), used.reshape(-1, 1)
    kind = sites.inputs[0].dtype
    if tangent is not None:
        forward, backward = tangent_pass(sites, tangent, flat)
    out = np.empty((rows, sum(m.size for m in sites.matrices)), kind)
    offset = 0
    for level, matrix in enumerate(sites.matrices):
        n_out, n_in = matrix.shape[0], matrix.shape[1] - 1
        into = out[:, offset : offset + matrix.size].reshape(rows, n_out, n_in + 1)
        delta = np.where(mask, sites.deltas[level][flat], kind.type(0)).reshape(rows, width, n_out)
        own = delta
        if tangent is not None:
            own = None
            into[:, :, :-1] = _products(delta, forward[level].reshape(rows, width, n_in))
            if level < len(backward):
                own = np.where(mask, backward[level], kind.type(0)).reshape(rows, width, n_out)
        if own is None:
            into[:, :, -1] = 0.0
        else:
            product = _products(own, sites.inputs[level][flat].reshape(rows, width, n_in))
            into[:, :, :-1] = product if tangent is None else into[:, :, :-1] + product
            into[:, :, -1] = own.sum(axis=1)
        offset += matrix.size
    return out


def _products(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """sum_k left[r, k, o] right[r, k, i], (R, O, I)."""
    return np.matmul(left.transpose(0, 2, 1), right)
