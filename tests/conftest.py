"""For all tests: what is tested is the installed package, wherever pytest is started."""

import os

# Without this, Python started in the repository's folder by a test imports the sources there, which lack the compiled
# modules unless the installation is an editable one.
os.environ["PYTHONSAFEPATH"] = "1"
