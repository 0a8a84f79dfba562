"""alnn: active learning of neural-network interatomic potentials, inside LAMMPS."""

__version__ = "0.1.0"
