"""Fit networks to a pool by one of the two protocols; the faces of this package."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import tensorflow as tf
from ase import Atoms

from alnn.errors import TrainingError
from alnn.potential import Potential, Scaling
from alnn.training.cross_validation import held_out_folds, k_fold
from alnn.training.data import (
    Block,
    EnergyScale,
    TrainingSet,
    block,
    decorrelation,
    energy_scale,
    relevance,
    scaled,
    scaled_tangents,
    standardise,
    training_set,
)
from alnn.training.force_rows import force_rows, taylor_copies
from alnn.training.levenberg_marquardt import Outcome, Problem, Trainer, trainer
from alnn.training.members import Member, fits, mixed, restandardised, to_layers
from alnn.training.network import Architecture, initial_weights
from alnn.training.settings import TrainingSettings

CHUNK = 16
"""Atoms in a chunk of a full batch: few padding rows, yet products large enough to be quick."""
TANGENT_STEP = 1e-5
"""Å; a slope is half the difference of two steps of this length along the tangents. Of the networks only: the
descriptors' derivatives are exact."""
_FORCE_ROWS = 1_000_000  # in place of an attempt's number where force rows are drawn


Spread = Callable[[Callable[[int], tuple[np.ndarray, ...]], Sequence[int]], list[tuple[np.ndarray, ...]]]
"""`[fit(member) for member in members]`, in whatever order and wherever."""


def in_turn(
    fit: Callable[[int], tuple[np.ndarray, ...]], members: Sequence[int]
) -> list[tuple[np.ndarray, ...]]:
    """One after the other, in this process."""
    return [fit(member) for member in members]


@dataclass(frozen=True)
class TrainingResult:
    """Members as layers of the potential file, scaling, E_i = energy_scale y_i + energy_shift[s] in eV, a
    report.
    """

    members: list[Member]
    scaling: dict[str, Scaling]
    energy_scale: float
    energy_shift: dict[str, float]
    report: dict = field(default_factory=dict)

    def potential(self, descriptors: Mapping[str, list[dict]]) -> Potential:
        """With the descriptors it was trained on, what a potential file holds."""
        return Potential(
            species=list(descriptors),
            descriptors=dict(descriptors),
            scaling=self.scaling,
            members=self.members,
            energy_scale=self.energy_scale,
            energy_shift=self.energy_shift,
            training=self.report,
        )


@dataclass(frozen=True)
class _Prepared:
    """A pool standardised for an architecture."""

    pool: TrainingSet
    architecture: Architecture
    standards: Mapping[str, Scaling]
    energies: EnergyScale
    relevance: np.ndarray
    mixing: list[np.ndarray]
    start: np.ndarray | None

    @property
    def force_rows(self) -> int:
        """Number of equations beside the energies."""
        return 0 if self.pool.force_rows is None else self.pool.force_rows.size

    def target(self) -> np.ndarray:
        """(S + R,) sum over atoms that the networks' outputs should have, and slopes that they should have."""
        shift = self.pool.counts() @ self.energies.shift
        energies = self.pool.energies - shift
        if self.pool.force_rows is not None:
            energies = np.concatenate([energies, self.pool.force_rows.slope])
        return energies / self.energies.scale

    def coefficient(self, settings: TrainingSettings) -> np.ndarray:
        """(S + R,) 1/N^p, normalised so that the mean-sized structure has 1/N; the weight of force rows. Both less
        for structures far up in energy. An atom alone weighs as much as the pool's mean number of atoms, however far
        up it is: the energy that binds a cluster is counted from it as many times as the cluster has atoms.
        """
        n = self.pool.n_atoms.astype(float)
        energies = (n / n.mean()) ** (1.0 - settings.size_exponent) / n * self.relevance
        energies = np.where(self.pool.alone(), n.mean(), energies)
        if self.pool.force_rows is None:
            return energies
        rows = self.pool.force_rows
        weight = np.where(rows.strain, settings.virial_weight / n[rows.owner], settings.force_weight)
        return np.concatenate([energies, weight * self.relevance[rows.owner]])

    def mask(self, structures: np.ndarray) -> np.ndarray:
        """(M, S) weights of structures -> (M, S + R): a force row has that of its structure."""
        if self.pool.force_rows is None:
            return structures
        return np.concatenate([structures, structures[:, self.pool.force_rows.owner]], axis=1)

    def blocks(self, chunk: int | None, mixing: Sequence[np.ndarray] | None = None) -> list[Block]:
        """Chunks per species, of decorrelated descriptors where `mixing` is given; see `data.block`.

        A force row is [E(G + h G') - E(G - h G')] / 2h over the sites that it reaches.
        """
        pool, rows, out = self.pool, self.pool.force_rows, []
        for i, s in enumerate(pool.species):
            x, owner, factor = scaled(self.standards[s], pool.values[s]), pool.structure[s], None
            if rows is not None:
                step = TANGENT_STEP * scaled_tangents(self.standards[s], rows.tangent[s])
                x = np.concatenate([x, x[rows.site[s]] + step, x[rows.site[s]] - step])
                signs = np.repeat([1.0, -1.0], len(step)) / (2.0 * TANGENT_STEP)
                factor = np.concatenate([np.ones(len(owner)), signs])
                owner = np.concatenate([owner, pool.size + rows.row[s], pool.size + rows.row[s]])
            x = x if mixing is None else x @ mixing[i]
            out.append(block(x, owner, pool.size + self.force_rows, chunk, factor))
        return out

    def from_file(self, weights: np.ndarray) -> np.ndarray:
        """Weights of the file's networks -> of networks of decorrelated descriptors."""
        return mixed(self.architecture, weights, [np.linalg.inv(t) for t in self.mixing])

    def to_file(self, weights: np.ndarray) -> np.ndarray:
        """The reverse of `from_file`."""
        return mixed(self.architecture, weights, self.mixing)


def _prepare(pool: TrainingSet, settings: TrainingSettings, warm: Potential | None) -> _Prepared:
    standards = {s: standardise(pool.values[s]) for s in pool.species}
    weights = relevance(pool, settings.energy_window)
    energies = energy_scale(pool, weights)
    inputs = tuple(pool.values[s].shape[1] for s in pool.species)
    architecture = Architecture(inputs, tuple(settings.hidden), settings.activation)
    mixing = [
        decorrelation(scaled(standards[s], pool.values[s]), settings.decorrelation) for s in pool.species
    ]
    start = None
    if warm is not None and settings.warm_start and fits(architecture, pool.species, warm):
        start = restandardised(architecture, pool.species, warm, standards, energies, pool.isolated)
    return _Prepared(pool, architecture, standards, energies, weights, mixing, start)


def _problem(
    prepared: _Prepared,
    settings: TrainingSettings,
    masks: tuple[np.ndarray, np.ndarray],
    decay: float,
    chunk: int | None,
    mixing: Sequence[np.ndarray] | None = None,
) -> Problem:
    """The least-squares problem with (training, validation) masks (M, S)."""
    blocks = prepared.blocks(chunk, mixing)
    return Problem(
        tuple(tf.constant(b.x[None]) for b in blocks),
        tuple(tf.constant(b.segment) for b in blocks),
        tf.constant(prepared.coefficient(settings)),
        tf.constant(prepared.target()),
        tf.constant(prepared.mask(masks[0])),
        tf.constant(prepared.mask(masks[1])),
        tf.constant(decay, tf.float64),
    )


def _paper(
    prepared: _Prepared, settings: TrainingSettings, seed: int, rng: np.random.Generator, spread: Spread
) -> tuple[np.ndarray, dict]:
    """The published protocol, its folds side by side in one graph; returns weights (1, P) and a report.

    Liberties: a fold rests after `patience` epochs without a better validation error; the damping has a lower
    bound; the descriptors are decorrelated inside (`decorrelation: 0` does without).
    """
    machine = trainer(prepared.architecture)
    masks = k_fold(prepared.pool.size, settings.folds, rng)
    folds = len(masks[0])
    if prepared.start is None:
        start = initial_weights(prepared.architecture, folds, rng)
    else:
        start = np.repeat(prepared.from_file(prepared.start[:1]), folds, axis=0)
    problem = _problem(prepared, settings, masks, 0.0, None, prepared.mixing)
    batch = settings.batch if prepared.pool.size >= settings.batch else 1

    def fit(_: int) -> tuple[np.ndarray, ...]:
        outcome = machine.mini_batch(
            tf.constant(start),
            tf.fill((folds,), tf.constant(settings.learnrate, tf.float64)),
            problem,
            tf.constant(settings.damping_factor, tf.float64),
            *(tf.constant(int(v)) for v in (settings.epochs, settings.patience, batch, seed % 2**31)),
            tf.constant(settings.smallest_damping, tf.float64),
        )
        return tuple(part.numpy() for part in outcome)

    outcome = Outcome(*spread(fit, [0])[0])  # one fit for all folds: on one rank, the others get its outcome
    criterion = outcome.criterion
    best = int(np.argmin(np.where(np.isfinite(criterion), criterion, np.inf)))
    weights = prepared.to_file(outcome.weights[best : best + 1])
    return weights, _outcome_report(outcome, batch=batch, folds=folds, best_fold=best)


def _committee_start(
    prepared: _Prepared, settings: TrainingSettings, rng: np.random.Generator
) -> tuple[np.ndarray, int]:
    """Weights (members, P) to begin from, and how many members are warm.

    Members drawn at random begin anew in each training, so that no lineage stays in a poor minimum for long and
    the committee keeps its spread.
    """
    start = initial_weights(prepared.architecture, settings.members, rng)
    if prepared.start is None:
        return start, 0
    warm = min(len(prepared.start), max(settings.members - settings.fresh_members, 0))
    kept = rng.permutation(len(prepared.start))[:warm]
    start[:warm] = prepared.from_file(prepared.start[kept])
    return start, warm


def _fast(
    prepared: _Prepared, settings: TrainingSettings, seed: int, rng: np.random.Generator, spread: Spread
) -> tuple[np.ndarray, dict]:
    """A committee by full-batch Levenberg-Marquardt; returns weights (members, P) and a report.

    Each member is a fit of its own, so that it comes out the same on whichever rank, beside whichever others.
    """
    machine = trainer(prepared.architecture)
    members = settings.members
    start, warm = _committee_start(prepared, settings, rng)
    size = prepared.pool.size
    if settings.validation == "fold":
        masks = held_out_folds(size, members, settings.folds, rng)
    else:
        masks = np.ones((members, size)), np.zeros((members, size))
    whole = _problem(prepared, settings, masks, settings.weight_decay, CHUNK, prepared.mixing)

    def fit(member: int) -> tuple[np.ndarray, ...]:
        own = slice(member, member + 1)
        problem = whole._replace(train=whole.train[own], valid=whole.valid[own])
        outcome = machine.full_batch(
            tf.constant(start[own]),
            tf.fill((1,), tf.constant(settings.learnrate, tf.float64)),
            problem,
            tf.constant(settings.damping_factor, tf.float64),
            tf.constant(settings.warm_steps if warm else settings.steps),
            tf.constant(settings.patience),
            tf.constant(settings.tolerance, tf.float64),
        )
        return tuple(part.numpy() for part in outcome)

    parts = spread(fit, list(range(members)))
    outcome = Outcome(
        *(np.concatenate(values) for values in list(zip(*parts, strict=True))[:-1]), max(p[-1] for p in parts)
    )
    return prepared.to_file(outcome.weights), _outcome_report(outcome, warm_members=warm)


def _outcome_report(outcome: Outcome, **more: object) -> dict:
    return {
        "epochs": int(outcome.epochs),
        "criterion": [float(v) for v in outcome.criterion],
        "loss": [float(v) for v in outcome.loss],
        "damping": [float(v) for v in outcome.damping],
        **more,
    }


def _errors(
    prepared: _Prepared, settings: TrainingSettings, weights: np.ndarray, machine: Trainer
) -> np.ndarray:
    """Error of every member, (M, S + R): per atom on every structure of the pool (eV), on force rows (eV/Å), and per
    atom on strain rows (eV).
    """
    size = prepared.pool.size
    masks = np.ones((len(weights), size)), np.zeros((len(weights), size))
    problem = _problem(prepared, settings, masks, 0.0, CHUNK)
    residual = machine.residuals(tf.constant(weights), problem).numpy()
    errors = residual / prepared.coefficient(settings) * prepared.energies.scale
    errors[:, :size] /= prepared.pool.n_atoms
    if (rows := prepared.pool.force_rows) is not None:
        errors[:, size:] /= np.where(rows.strain, prepared.pool.n_atoms[rows.owner], 1.0)
    return errors


def _errors_of_rows(slopes: np.ndarray, number: str, mean: str) -> dict[str, float]:
    """How many rows there are, and their mean absolute error (eV/Å; eV per atom for virials)."""
    return {number: len(slopes), mean: float(np.abs(slopes).mean())} if len(slopes) else {}


def train(
    pool: TrainingSet,
    settings: TrainingSettings,
    warm_start: Potential | None = None,
    seed: int = 0,
    spread: Spread = in_turn,
) -> TrainingResult:
    """Networks fitted to `pool`; begins from `warm_start` where its networks have the same shape.

    `spread(fit, members)` fits members side by side, as `alnn.parallel.ranks.Ranks.map` does where all ranks train.

    Never returns a network that is not finite: a diverged member is trained again from fresh weights, and
    TrainingError is raised if that fails too. The report says what happened.
    """
    started = time.perf_counter()
    prepared = _prepare(pool, settings, warm_start)
    protocol = _paper if settings.protocol == "paper" else _fast
    attempts = []
    for attempt in range(3):
        rng = np.random.default_rng([seed, attempt])
        weights, report = protocol(prepared, settings, seed + attempt, rng, spread)
        errors = _errors(prepared, settings, weights, trainer(prepared.architecture))
        if np.isfinite(errors).all() and np.isfinite(weights).all():
            break
        attempts.append("not finite")
        prepared = replace(prepared, start=None)
    else:
        raise TrainingError(
            f"training: expected finite networks, found diverged ones in {len(attempts)} attempts "
            f"({pool.size} structures, protocol {settings.protocol})"
        )
    mean = errors.mean(axis=0)
    mean, slopes = mean[: pool.size], mean[pool.size :]
    by_strain = np.zeros(0, bool) if pool.force_rows is None else pool.force_rows.strain
    report |= {
        "protocol": settings.protocol,
        "structures": pool.size,
        "restarts": len(attempts),
        "energy_mae": float(np.abs(mean).mean()),
        "energy_rmse": float(np.sqrt((mean**2).mean())),
        **_errors_of_rows(slopes[~by_strain], "force_rows", "force_mae"),
        **_errors_of_rows(slopes[by_strain], "virial_rows", "virial_mae"),
        "seconds": time.perf_counter() - started,
    }
    shift = {
        s: float(v) + pool.isolated[s] for s, v in zip(pool.species, prepared.energies.shift, strict=True)
    }
    members = [to_layers(prepared.architecture, pool.species, w) for w in weights]
    return TrainingResult(members, dict(prepared.standards), prepared.energies.scale, shift, report)


def labelled_set(
    structures: Sequence[Atoms],
    descriptors: Mapping[str, list[dict]],
    settings: TrainingSettings,
    seed: int = 0,
    isolated: Mapping[str, float] | None = None,
) -> TrainingSet:
    """Descriptors and labels of structures, with what `settings.forces` makes of their forces."""
    from alnn.descriptors import compute

    species, rng = list(descriptors), np.random.default_rng([seed, _FORCE_ROWS])
    chosen = list(structures)
    if settings.forces == "taylor":
        chosen += taylor_copies(structures, settings.force_rows, settings.taylor_length, rng)
    energies = np.array([atoms.get_potential_energy() for atoms in chosen])
    pool = training_set(compute(descriptors, species, chosen), species, energies, isolated)
    if not settings.has_rows:
        return pool
    strain = settings.virial_weight > 0.0
    rows = force_rows(
        dict(descriptors), species, structures, settings.force_rows, settings.forces, rng, strain
    )
    return replace(pool, force_rows=rows)


def fit_potential(
    structures: Sequence[Atoms],
    descriptors: Mapping[str, list[dict]],
    settings: TrainingSettings,
    warm_start: Potential | None = None,
    seed: int = 0,
    isolated: Mapping[str, float] | None = None,
) -> Potential:
    """A potential fitted to labelled structures (energies in eV from their calculators, and forces in eV/Å where
    the settings ask for them); `isolated` eV per atom.
    """
    pool = labelled_set(structures, descriptors, settings, seed, isolated)
    return train(pool, settings, warm_start, seed).potential(descriptors)
