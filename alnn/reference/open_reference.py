"""The reference method that a campaign file asks for."""

from pathlib import Path

from alnn.reference.lammps import LammpsReference
from alnn.reference.process import ReferenceProcess
from alnn.reference.settings import Labelling


def open_reference(asked: Labelling) -> LammpsReference | ReferenceProcess:
    """The reference method: in this process where it is LAMMPS and needs no time limit, else in a subprocess."""
    if asked.reference.lammps is None or asked.labels.time_limit is not None:
        return in_subprocess(asked)
    return LammpsReference(asked.reference.lammps, asked.species, asked.masses, Path(asked.folder))


def in_subprocess(asked: Labelling) -> ReferenceProcess:
    """The reference method in a subprocess of its own, not started yet."""
    labels, reference = asked.labels, asked.reference
    options = {"limit": labels.time_limit, "keep": labels.keep}
    scratch = Path(asked.directory) / "calculations"
    if reference.ase is not None:
        from alnn.reference.ase import AseReference

        needs = {"forces": asked.forces, "stress": asked.stress}
        return AseReference(reference.ase, asked.masses, Path(asked.folder), scratch, **needs, **options)
    settings = {
        "kind": "lammps",
        "commands": reference.lammps,
        "species": asked.species,
        "masses": asked.masses,
        "folder": asked.folder,
    }
    return ReferenceProcess(settings, scratch, **options)
