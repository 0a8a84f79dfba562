"""Settings of a training that suit the data, where none were told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.symbols import string2symbols as symbols

from alnn.descriptors.automatic import few_molecules
from alnn.errors import ConfigError
from alnn.fitting.data import Labels
from alnn.fitting.settings import FitSettings
from alnn.structures.atoms import are_free
from alnn.training.settings import TrainingSettings
from alnn.training.soundness import composition, element_offsets

_NETWORK: dict[str, Any] = {"hidden": (16, 16), "activation": "gelu", "memory": 1.65}
"""Half a GB beside it makes some 2 GB."""
_FORCES: dict[str, Any] = {
    "members": 2,
    "steps": 150,
    "weight_decay": 0.01,
    "forces": "auto",
    "force_rows": None,
}
_SEVERAL_SPECIES: dict[str, Any] = {
    "members": 3,
    "hidden": (10, 10),
    "steps": 40,
    "weight_decay": 0.5,
    "learnrate": 10.0,
}
"""With forces, from the linear fit: each species has a network, and a step takes the square of all weights in time."""
_MOLECULES: dict[str, Any] = {
    "members": 3,
    "hidden": (24, 24),
    "method": "l-bfgs",
    "steps": 600,
    "weight_decay": 0.5,
}
"""With forces of few free molecules: a gradient takes a tenth of a second, and larger networks err less."""
_SHELL_METALS = frozenset(symbols("LiNaKRbCsBeMgCaSrBaCuAgAuZnCdHgAlGaInTlPb"))
"""Without open d or f shells: electrons fill shells of the cluster (W. A. de Heer, Rev. Mod. Phys. 65, 611 (1993))."""
_CLUSTER_ROWS = 3.0
"""`rows_per_weight` of such clusters: half the usual rows do as well there, not for silicon and molybdenum."""
_OF_A_SIZE = 5  # structures in the mean: of fewer their common energy says as much as its differences
_ENERGIES: dict[str, Any] = {
    "members": 4,
    "steps": 40,
}  # which say little: the mean of several networks errs less
_SHARE = 0.8  # of all forces of a structure against its energy, each in terms of its spread
_LIGHTEST, _HEAVIEST = 0.01, 0.05  # Å
_LIGHTEST_OF_SEVERAL = 0.03  # Å; where species are bound to molecules forces say more than their spread tells


def recommended(settings: FitSettings, labels: Labels, structures: Sequence[Atoms] = ()) -> TrainingSettings:
    """What was told, and for the rest what has done well on data of others (`docs/training.md`): forces of
    whichever structures have them.

    Raises ConfigError for what contradicts the data.
    """
    told = settings.told()
    _check(told, labels)
    if told.get("protocol") == "paper":
        return TrainingSettings(**told)
    with_forces = labels.forces and told.get("forces") != "none"
    fitting = {**_FORCES, "force_weight": force_weight(structures)} if with_forces else _ENERGIES
    several = with_forces and len({symbol for atoms in structures for symbol in atoms.symbols}) > 1
    if several:
        fitting |= _MOLECULES if few_molecules(structures) and "method" not in told else _SEVERAL_SPECIES
        fitting["force_weight"] = max(fitting["force_weight"], _LIGHTEST_OF_SEVERAL)
    chosen = TrainingSettings(**{**_NETWORK, **fitting, **told})
    more: dict[str, Any] = {}
    if several and "start" not in told and chosen.may_start_linear:
        more["start"] = "linear"
    if with_forces and "size_shifts" not in told and chosen.may_shift_sizes and _metal_clusters(structures):
        more["size_shifts"] = True
        more["rows_per_weight"] = told.get("rows_per_weight", _CLUSTER_ROWS)
    return chosen.model_copy(update=more)


def _metal_clusters(structures: Sequence[Atoms]) -> bool:
    """Free clusters of several sizes, of metals whose electrons fill shells of the whole cluster."""
    metal = {symbol for atoms in structures for symbol in atoms.symbols} <= _SHELL_METALS
    sizes = Counter(atoms.get_chemical_formula() for atoms in structures if len(atoms) > 1)
    return are_free(structures) and metal and len(sizes) > 2 and sizes.total() >= _OF_A_SIZE * len(sizes)


def force_weight(structures: Sequence[Atoms]) -> float:
    """Å: such that all force components of a structure together weigh somewhat less than its energy per atom, both in
    terms of their standard deviations over the data: small structures have few, large ones many. From 0.01 to 0.05 Å.
    """
    having = [atoms for atoms in structures if atoms.calc is not None and "forces" in atoms.calc.results]
    if not having:
        return _LIGHTEST
    forces = np.concatenate([atoms.calc.results["forces"].ravel() for atoms in having])
    species = sorted({symbol for atoms in structures for symbol in atoms.symbols})
    energies = np.array([atoms.get_potential_energy() / len(atoms) for atoms in structures])
    fractions = composition(structures, species)
    rest = energies - fractions @ element_offsets(energies, fractions)
    size = np.sqrt(len(forces) / len(having)) * float(forces.std())
    weight = _SHARE * float(rest.std()) / size if size > 0.0 else _LIGHTEST
    return float(f"{np.clip(weight, _LIGHTEST, _HEAVIEST):.2g}")


def _check(told: dict[str, Any], labels: Labels) -> None:
    if told.get("forces", "none") not in ("none", "auto") and labels.forces < labels.structures:
        raise ConfigError(
            f"training.forces: expected forces for every structure, found them for {labels.forces} of "
            f"{labels.structures} (auto takes those that are there)"
        )
    if told.get("forces") == "auto" and not labels.forces:
        raise ConfigError("training.forces: expected structures with forces, found none")
    if told.get("virial_weight", 0.0) > 0.0 and not labels.stresses:
        raise ConfigError("training.virial_weight: expected structures with a stress, found none")
