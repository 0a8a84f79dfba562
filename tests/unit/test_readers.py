"""Damaged files of every kind: each is read or refused with one clear line. scripts/fuzz_readers.py reads far more."""

import json
import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fuzzing import FAULT, READ, REFUSED, outcome, readers

from alnn.campaign.history_lines import decode, encode
from alnn.errors import AlnnError, PotentialError
from alnn.potential import Potential
from alnn.structures.labels import read_labels

READERS = readers()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
SEEDED = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@pytest.mark.parametrize("name", READERS)
def test_damaged_files_are_read_or_refused_in_one_line(name, tmp_path):
    reader = READERS[name]
    path = tmp_path / reader.file
    path.parent.mkdir(exist_ok=True)
    found = {READ: 0, REFUSED: 0, FAULT: 0}
    for number in range(60 if name == "settled_config" else 300):
        path.write_bytes(reader.make(random.Random(f"short {name} {number}")))
        kind, text = outcome(reader, path)
        assert kind != FAULT, (number, text)
        found[kind] += 1
    assert found[READ] and found[REFUSED], found


@SEEDED
@given(VALUES)
def test_any_json_is_a_potential_or_refused(document):
    with pytest.raises(PotentialError):
        Potential.from_json(json.dumps(document))


@SEEDED
@given(st.dictionaries(st.sampled_from(["key", "species", "energy", "forces", "x"]), VALUES))
def test_any_record_is_a_label_or_refused(tmp_path_factory, record):
    path = tmp_path_factory.getbasetemp() / "labels" / "rank0000.jsonl"
    path.parent.mkdir(exist_ok=True)
    text = json.dumps(record).encode()
    path.write_bytes(b"%08x %b\n" % (zlib.crc32(text), text))
    try:
        read_labels(path.parent)
    except AlnnError as error:
        assert str(error).isprintable()


@SEEDED
@given(st.dictionaries(st.text(), VALUES))
def test_any_line_of_history_is_read_or_refused(values):
    counts = {k: 1 for k in ("iteration", "structures", "reference_calls", "candidates", "labelled", "added")}
    line = {**values, **counts}
    try:
        assert decode(encode(line)).keys() == line.keys()
    except ValueError as error:
        assert len(str(error).splitlines()) == 1


@pytest.mark.parametrize("what", ["a\nb", "\u2028", "\x1b[31mred", "x" * 5000])
def test_a_message_is_one_line_whatever_it_quotes(what):
    message = str(AlnnError(f"expected a name, found {what}"))
    assert message.isprintable() and len(message) <= 1000
