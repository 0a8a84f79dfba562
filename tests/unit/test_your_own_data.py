"""The page for data of others tells the messages as they are."""

import gzip
import re
from pathlib import Path

import pytest

from alnn.errors import StructureError
from alnn.structures.files import read_labelled
from alnn.structures.label_keys import LabelKeys

PAGE = (Path(__file__).parents[2] / "docs" / "your-own-data.md").read_text(encoding="utf-8")
TABLE = PAGE.split("## What is refused")[1].split("##")[0]
MESSAGES = [row.split("|")[2].strip() for row in TABLE.splitlines() if row.startswith("| ")][1:]
REF = LabelKeys(energy="REF_energy")
CASES = [
    ("1\ndft_energy=1\nW 0 0 0\n", None),
    ("1\ndft_energy=1\nW 0 0 0\n", REF),
    ("1\nenergy=x\nW 0 0 0\n", None),
    ("1\nProperties=species:S:1:pos:R:3:forces:R:1\nW 0 0 0 1\n", None),
    ('1\nREF_energy=1 REF_stress="1 2 3"\nW 0 0 0\n', REF),
    ('1\nenergy=1 stress="1 2 0 0 1 0 0 0 1"\nW 0 0 0\n', None),
    ("2\n\nW 0 0 0\nW 0 0 0.1\n", None),
    ('1\nLattice="3 0 0 0 3 0 0 0 0" pbc="T T T"\nW 0 0 0\n', None),
    ("1\n\nW 0 0 nan\n", None),
    ("3\n\nW 0 0 0\n", None),
    (b"cut", None),
    (None, None),
]


@pytest.mark.parametrize(("case", "message"), list(zip(CASES, MESSAGES, strict=True)), ids=MESSAGES)
def test_the_messages_of_the_page_are_true(tmp_path, case, message):
    content, keys = case
    path = tmp_path / ("a.extxyz.gz" if isinstance(content, bytes) else "a.extxyz")
    if isinstance(content, bytes):
        path.write_bytes(gzip.compress(b"1\n\nW 0 0 0\n")[:-4])
    elif content is not None:
        path.write_text(content)
    with pytest.raises(StructureError) as caught:
        read_labelled(path, keys or LabelKeys()).check_energies()
    pattern = ".*".join(re.escape(part.strip()) for part in message.split("..."))
    assert re.search(pattern, str(caught.value)), str(caught.value)


def test_the_line_of_labels_is_as_shown(tmp_path):
    path = tmp_path / "cu.extxyz"
    header = "Properties=species:S:1:pos:R:3:REF_forces:R:3 energy=1 REF_energy=2"
    path.write_text(f"1\n{header}\nCu 0 0 0 0 0 0\n" * 30)
    line = read_labelled(path, REF).line()
    assert f"\n{line.removeprefix(str(tmp_path) + '/')}\n" in PAGE
