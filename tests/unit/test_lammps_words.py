"""Words and paths that LAMMPS is told: quoted as it reads them, linked where it cannot."""

from pathlib import Path

import pytest

from alnn.errors import AlnnError, ReferenceError_
from alnn.lammps_instance import lammps_word, lammps_words, open_lammps

NAMES = (
    "plain",
    "a b",
    "größe",
    "o'brien",
    "run#1",
    "cost$x",
    "(a) b&c",
    'q"q',
    'it\'s "x" y',
    "日本",
    "a{b}",
)


@pytest.mark.parametrize("name", NAMES)
def test_lammps_reads_files_of_any_folder(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    (folder / f"{name}.sw").write_text("Cu Cu Cu 1.0 2.3 1.8 21 1.2 -0.333 7.05 0.602 4 0 0\n")
    with open_lammps("test", ReferenceError_) as line:
        for command in ("units metal", "region box block 0 9 0 9 0 9", "create_box 1 box", "mass 1 1"):
            line(command)
        line("pair_style sw")
        line(f"pair_coeff * * {lammps_word(folder / f'{name}.sw')} Cu")
        line(f"write_restart {lammps_word(folder / 'restart')}")
    assert (folder / "restart").stat().st_size > 0


@pytest.mark.parametrize("word", [name for name in NAMES if name.isascii()])
def test_quoted_words_are_read_back(word):
    assert lammps_words(f"pair_coeff * * {lammps_word(word)} Cu # of copper") == [
        "pair_coeff",
        "*",
        "*",
        word,
        "Cu",
    ]


def test_what_lammps_cannot_be_told_is_said():
    with pytest.raises(AlnnError, match="both kinds of quotes"):
        lammps_word("a'b\"")
    with pytest.raises(AlnnError, match="which alone LAMMPS takes, found 'ö' in it"):
        lammps_word("größe")
    with pytest.raises(AlnnError, match="no closing quote"):
        lammps_words("pair_coeff * * 'Cu.sw Cu")


def test_a_plain_path_stays(tmp_path):
    assert lammps_word(tmp_path) == str(tmp_path)
    assert lammps_word(Path("/nowhere/file")) == "/nowhere/file"
