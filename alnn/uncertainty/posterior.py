"""Variance of predictions from the Gauss-Newton matrix of the training (Laplace approximation).

With the Jacobian J of all residuals by the weights, each divided by its noise, and a prior precision of the weights,
A = J^T J + decay I is the inverse covariance of the weights, and a prediction with the gradient g has the variance
g^T A^-1 g (D. J. C. MacKay, Neural Comput. 4, 448 (1992)). One network is enough: no committee.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from ase import Atoms
from scipy.linalg import cholesky, eigvalsh, solve_triangular

from alnn.descriptors import DescriptorTable
from alnn.errors import PotentialError
from alnn.parallel.files import write_atomically
from alnn.potential import Potential
from alnn.training.equations import Equations
from alnn.training.labelled import labelled_set
from alnn.training.passes import SitePass
from alnn.training.prepared import prepare
from alnn.training.repulsion import without
from alnn.training.settings import TrainingSettings
from alnn.training.threads import one_after_the_other
from alnn.uncertainty.gradients import Rows, rows_of
from alnn.uncertainty.left_out import left_out

SMALLEST_NOISE = 1e-5
"""eV/atom; a label that is met exactly is not known exactly."""
SMALLEST_DECAY = 1e-8
"""Of standardised residuals; without any, directions that no label determines would have no bound."""
NORMAL_MEDIAN = 0.6745
"""Half of normally distributed errors are smaller than so many of their standard deviations."""
SMALLEST_FREEDOM = 0.1
"""Share of the residuals that counts as free where there are as many weights as labels."""


@dataclass(frozen=True)
class Posterior:
    """What a training has left open.

    factor (P, P): lower Cholesky factor of the weights' inverse covariance; mixing[s]: coordinates of the networks;
    energy_noise (eV/atom) and force_noise (eV/Å): of a label that a training meets, 0 where it had no forces; checksum
    of the potential that it belongs to; scale: by what errors are larger than the matrix says (see `recalibrated`).
    """

    factor: np.ndarray
    mixing: Mapping[str, np.ndarray]
    energy_noise: float
    force_noise: float
    checksum: int
    scale: float = 1.0

    def rows(
        self,
        potential: Potential,
        structures: Sequence[Atoms],
        components: int | None,
        seed: int,
        table: DescriptorTable | None = None,
    ) -> Rows:
        """Energies and force components whose variance can be asked for; see `gradients.rows_of`."""
        return rows_of(potential, self.mixing, structures, components, seed, table)

    def whitened(self, gradients: np.ndarray) -> np.ndarray:
        """L^-1 g of gradients (n, P), (n, P): products of two of them are covariances."""
        return solve_triangular(self.factor, np.asarray(gradients, float).T, lower=True).T * self.scale

    def variances(self, rows: Rows) -> np.ndarray:
        """(S + R,) variances of energies (eV^2) and force components (eV^2/Å^2)."""
        out = np.empty(len(rows.owner))
        for piece, gradients in rows.pieces():
            out[piece] = np.sum(self.whitened(gradients) ** 2, axis=1)
        return out

    def told(self, gradients: np.ndarray, noise: np.ndarray) -> Posterior:
        """The same after labels of quantities with these gradients (n, P) and variances of the labels (n,)."""
        weighted = np.asarray(gradients, float) * (self.scale / np.sqrt(noise))[:, None]
        return replace(self, factor=cholesky(self.factor @ self.factor.T + weighted.T @ weighted, lower=True))

    def recalibrated(self, *kinds: tuple[np.ndarray, np.ndarray]) -> Posterior:
        """The same with sigmas multiplied by one factor, the geometric mean of those that each kind of quantity asks
        for (energies, forces): (errors, sigmas), each (n,), of structures that the training has not seen.
        """
        factors = [fitting_factor(errors, sigmas) for errors, sigmas in kinds if len(errors)]
        return replace(self, scale=self.scale * float(np.exp(np.mean(np.log(factors or [1.0])))))

    def write(self, path: Path) -> None:
        """Into one file, whole or not at all. Raises WriteError."""
        buffer = io.BytesIO()
        numbers = np.array([self.energy_noise, self.force_noise, self.scale])
        mixing = {f"mixing_{s}": m for s, m in self.mixing.items()}
        np.savez(buffer, factor=self.factor, numbers=numbers, checksum=np.array(self.checksum), **mixing)
        write_atomically(path, lambda part: part.write_bytes(buffer.getvalue()))

    @classmethod
    def read(cls, path: Path, potential: Potential) -> Posterior:
        """From a file of `write`. Raises PotentialError where it is damaged or belongs to another potential."""
        try:
            with np.load(path, allow_pickle=False) as file:
                energy_noise, force_noise, scale = (float(x) for x in file["numbers"])
                mixing = {s: file[f"mixing_{s}"] for s in potential.species}
                found = cls(file["factor"], mixing, energy_noise, force_noise, int(file["checksum"]), scale)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise PotentialError(
                f"{path}: expected the variance matrix of a potential, found {error}"
            ) from error
        if found.checksum != checksum(potential):
            raise PotentialError(
                f"{path}: expected the variance matrix of the potential beside it, found another's"
            )
        return found


def fitting_factor(errors: np.ndarray, sigmas: np.ndarray) -> float:
    """What sigmas (n,) are to be multiplied by, so that errors / sigmas have a root mean square of one; by the median,
    so that a few outliers do not decide. 1 where nothing says so.
    """
    good = np.isfinite(errors) & (sigmas > 0)
    ratio = np.median(np.abs(errors[good]) / sigmas[good]) / NORMAL_MEDIAN if good.any() else 1.0
    return float(ratio) or 1.0


def read_if_sound(path: Path, potential: Potential) -> Posterior | None:
    """The potential's matrix, None where there is none, or one that a kill or an older training has left."""
    if not path.exists():
        return None
    try:
        return Posterior.read(path, potential)
    except PotentialError:
        return None


def checksum(potential: Potential) -> int:
    """Tells potentials apart by their first network and its scaling."""
    found = 0
    for s in potential.species:
        for layer in potential.members[0][s]:
            found = zlib.crc32(np.ascontiguousarray(layer.weights, "<f8").tobytes(), found)
            found = zlib.crc32(np.ascontiguousarray(layer.bias, "<f8").tobytes(), found)
        found = zlib.crc32(np.ascontiguousarray(potential.scaling[s].std, "<f8").tobytes(), found)
    return found


def beside(potential: Path) -> Path:
    """Where the matrix of a potential lies: P.alnn has P.variance.npz."""
    return potential.with_suffix(".variance.npz")


def posterior(
    potential: Potential,
    pool: Sequence[Atoms],
    settings: TrainingSettings,
    seed: int = 0,
    cross_validated: bool = False,
) -> Posterior:
    """The posterior of a potential's first network after its training on labelled structures `pool`.

    `settings` are those of the training: its weights of energies and forces, its decay. With its `seed` the force rows
    are the ones that it had, with another as many others of the same structures.
    The noise of energies and of forces is what the training left of their residuals, corrected for the weights that
    were fitted: s^2 = sum r^2 / (n - gamma n / n_all) with the number gamma of parameters that the data determine
    (MacKay, the same paper). `cross_validated`: recalibrated by structures left out one after the other.
    """
    if potential.baseline is not None:
        raise PotentialError("variance: expected a potential by itself, found the rest to a baseline")
    left = without(potential.repulsion, potential.species, pool)
    labelled = labelled_set(left, potential.descriptors, settings, seed)
    prepared = prepare(labelled, settings.model_copy(update={"warm_start": True}), potential)
    if prepared.start is None:
        raise PotentialError("variance: expected networks of the shape that the settings say, found others")
    equations = prepared.equations(settings)
    weights = prepared.from_file(prepared.start[:1])[0]
    passes = equations.passes(weights)
    residual = equations.residual(passes, one_after_the_other)
    kinds = [np.arange(len(residual)) < equations.structures]
    kinds += [~kinds[0]] if equations.rows else []
    products = _products(equations, passes)
    decay = max(settings.weight_decay, SMALLEST_DECAY)
    gamma = _determined(sum(products), decay)
    floor = (SMALLEST_NOISE / prepared.energies.scale) ** 2
    noise = [_noise(residual[kind], gamma / len(residual), floor) for kind in kinds]
    whole = _noise(residual, gamma / len(residual), floor)
    precision = sum(product / n for product, n in zip(products, noise, strict=True))
    precision[np.diag_indices_from(precision)] += decay / whole
    scale = prepared.energies.scale * np.sqrt(noise)
    found = Posterior(
        factor=cholesky(precision, lower=True),
        mixing=dict(prepared.coordinates.mixing),
        energy_noise=float(scale[0]),
        force_noise=float(scale[1] / np.median(equations.coefficient[kinds[1]])) if len(scale) > 1 else 0.0,
        checksum=checksum(potential),
    )
    if not cross_validated:
        return found
    deviations = np.sqrt(np.array(noise))[(~kinds[0]).astype(int)]
    owner = np.arange(equations.structures)
    if labelled.force_rows is not None:
        owner = np.concatenate([owner, labelled.force_rows.owner])
    rows, errors, sigmas = left_out(equations, passes, residual, deviations, owner, found.factor)
    return found.recalibrated(*((errors[kind[rows]], sigmas[kind[rows]]) for kind in kinds))


def _products(equations: Equations, passes: Sequence[SitePass]) -> list[np.ndarray]:
    """J^T J (P, P) of the energies, and where there are any of the force rows."""
    size = equations.architecture.size
    found = [np.zeros((size, size)) for _ in range(1 + bool(equations.rows))]
    for piece in equations.pieces(np.arange(equations.rows)):
        if len(piece):
            jacobian = equations.jacobian(passes, piece)
            found[int(piece[0] >= equations.structures)] += jacobian.T @ jacobian
    return found


def _determined(matrix: np.ndarray, decay: float) -> float:
    """gamma = sum_k l_k / (l_k + decay) over the eigenvalues of J^T J."""
    values = np.maximum(eigvalsh(matrix), 0.0)
    return float(np.sum(values / (values + decay)))


def _noise(residual: np.ndarray, share: float, floor: float) -> float:
    """Mean square of residuals, corrected for the share of them that fitted weights took away."""
    free = max(1.0 - share, SMALLEST_FREEDOM)
    return max(float(np.mean(residual**2)) / free, floor)
