"""`alnn train`: a potential from labelled structures, without a campaign."""

from pathlib import Path

import numpy as np

from alnn import structures
from alnn.descriptors import cutoff as reach
from alnn.descriptors import preset
from alnn.errors import PotentialError, TrainingError
from alnn.structures.files import read_labelled
from alnn.training.settings import TrainingSettings
from alnn.training.soundness import check_neighbours, composition, is_worse_than_a_constant


def train_command(
    data: Path,
    output: Path,
    *,
    descriptors: str,
    cutoff: float | None,
    protocol: str,
    members: int,
    seed: int,
) -> None:
    """Fit to every structure of `data`, write `output`, print the errors on the data.

    Raises StructureError for faulty data, ConfigError for an unknown preset, TrainingError, PotentialError.
    """
    if not 1 <= members <= 64:
        raise TrainingError(f"--members: expected 1 to 64 networks, found {members}")
    if not output.parent.is_dir():
        raise PotentialError(f"{output}: expected a directory to write to, found none at {output.parent}")
    pool = read_labelled(data)
    if not pool:
        raise TrainingError(f"{data}: expected labelled structures, found none")
    for index, atoms in enumerate(pool):
        structures.validate(atoms, where=f"{data}: structure {index}")
        if atoms.calc is None or "energy" not in atoms.calc.results:
            raise TrainingError(f"{data}: structure {index}: expected an energy, found none")
    species = sorted({symbol for atoms in pool for symbol in atoms.symbols})
    functions = preset(descriptors, species, cutoff)
    check_neighbours(pool, reach(functions))
    settings = TrainingSettings(protocol=protocol, members=members)

    from alnn.training import fit_potential

    potential = fit_potential(pool, functions, settings, seed=seed)
    report = potential.training
    energies = np.array([atoms.get_potential_energy() / len(atoms) for atoms in pool])
    if is_worse_than_a_constant(report["energy_mae"], energies, composition(pool, species)):
        raise TrainingError(
            f"{data}: expected a potential better than a constant, found {1e3 * report['energy_mae']:.3g} meV/atom: "
            "functions that do not see what differs, or a training too short"
        )
    potential.write(output)
    print(
        f"{output}: {len(potential.members)} networks for {' '.join(species)} from {len(pool)} structures: "
        f"energy MAE {1e3 * report['energy_mae']:.3g} meV/atom, RMSE {1e3 * report['energy_rmse']:.3g} "
        f"meV/atom on the training data, {report['seconds']:.1f} s"
    )
