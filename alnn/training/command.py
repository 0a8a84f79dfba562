"""`alnn train`: a potential from labelled structures, without a campaign."""

from pathlib import Path

from alnn import structures
from alnn.descriptors import preset
from alnn.errors import PotentialError, TrainingError
from alnn.structures.files import read_labelled
from alnn.training.settings import TrainingSettings


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
    settings = TrainingSettings(protocol=protocol, members=members)

    from alnn.training import fit_potential

    potential = fit_potential(pool, functions, settings, seed=seed)
    potential.write(output)
    report = potential.training
    print(
        f"{output}: {len(potential.members)} networks for {' '.join(species)} from {len(pool)} structures: "
        f"energy MAE {1e3 * report['energy_mae']:.3g} meV/atom, RMSE {1e3 * report['energy_rmse']:.3g} "
        f"meV/atom on the training data, {report['seconds']:.1f} s"
    )
