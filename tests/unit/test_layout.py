"""The layout that CONTRIBUTING.md draws: imports go down only, and the core knows no engine."""

import graphlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
CORE = ROOT / "lammps_plugin" / "core"
INCLUDE = re.compile(r'^\s*#include\s+[<"]([^">]+)[">]', re.MULTILINE)


def layers() -> list[str]:
    """The packages and modules of alnn, the highest first; those of one line may not import each other."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return settings["tool"]["importlinter"]["contracts"][0]["layers"]


def test_imports_go_down_only():
    linter = str(Path(sys.executable).with_name("lint-imports"))
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_diagram_shows_the_layers_in_their_order():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    drawn = [
        line.split("  ")[0].split()
        for line in re.findall(r"```\n(cli .*?)```", text, re.DOTALL)[0].splitlines()
    ]
    assert [[name.rstrip("/") for name in row] for row in drawn] == [layer.split(" | ") for layer in layers()]


def test_no_circles_among_the_files_of_the_plugin():
    """A header and the source of its name are one unit; a unit that another includes does not include that one."""
    plugin = CORE.parent
    units = graphlib.TopologicalSorter()
    for path in sorted(p for p in plugin.rglob("*") if p.suffix in (".h", ".hpp", ".cpp")):
        unit = path.relative_to(plugin).with_suffix("")
        units.add(unit)
        for name in INCLUDE.findall(path.read_text(encoding="utf-8")):
            found = next((f / name for f in (path.parent, CORE) if (f / name).exists()), None)
            if found is not None and found.relative_to(plugin).with_suffix("") != unit:
                units.add(unit, found.relative_to(plugin).with_suffix(""))
    assert len(list(units.static_order())) > 40  # raises CycleError with the names of a circle


def test_the_core_includes_no_engine():
    for path in CORE.rglob("*.[ch]pp"):
        for name in INCLUDE.findall(path.read_text(encoding="utf-8")):
            # The standard library's headers have no suffix, the core's own lie below it.
            own = (CORE / name).exists() or (path.parent / name).exists()
            assert "." not in name or own or name.startswith("nlohmann/"), f"{path.name} includes {name}"
