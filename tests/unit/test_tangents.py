"""Sums over tangents by the kernel, against the same by NumPy."""

import numpy as np
import pytest
from alnn._kernel import StructureSums, slopes_along, weighted_tangents

ENTRIES_OF = [3, 0, 7, 1, 4]


@pytest.fixture(params=[1, 15, 16, 17, 100])
def sites(request):
    """tangent (E, width), where the entries of each site begin, and the site of each entry."""
    rng, width = np.random.default_rng(request.param), request.param
    begin = np.concatenate([[0], np.cumsum(ENTRIES_OF)])
    tangent = rng.normal(size=(begin[-1], width)).astype(np.float32)
    return tangent, begin, np.repeat(np.arange(len(ENTRIES_OF)), ENTRIES_OF), rng


def test_slopes(sites):
    tangent, begin, site, rng = sites
    slope = rng.normal(size=(len(ENTRIES_OF), tangent.shape[1])).astype(np.float32)
    out = np.full(len(site), np.nan)
    for first, last in ((0, 2), (2, 2), (2, 5)):
        slopes_along(tangent, begin, slope, out, first, last)
    plain = (tangent.astype(float) * slope[site].astype(float)).sum(axis=1)
    np.testing.assert_allclose(out, plain, rtol=1e-5, atol=1e-5)


def test_weighted_sums(sites):
    tangent, begin, site, rng = sites
    weight = rng.normal(size=len(site)).astype(np.float32)
    out = np.full((len(ENTRIES_OF), tangent.shape[1]), np.nan)
    weighted_tangents(tangent, begin, weight, out, 0, 3)
    assert np.isnan(out[3:]).all()
    weighted_tangents(tangent, begin, weight, out, 3, 5)
    plain = np.zeros_like(out)
    np.add.at(plain, site, weight[:, None].astype(float) * tangent)
    np.testing.assert_allclose(out, plain, rtol=1e-5, atol=1e-5)


def test_what_is_out_of_range_is_refused():
    tangent, begin = np.zeros((4, 3), np.float32), np.array([0, 2, 4])
    slope, out = np.zeros((2, 3), np.float32), np.zeros(4)
    slopes_along(tangent, begin, slope, out, 0, 2)
    with pytest.raises(ValueError, match="expected sites first"):
        slopes_along(tangent, begin, slope, out, 0, 3)
    with pytest.raises(ValueError, match="expected sites first"):
        slopes_along(tangent, np.array([0, 2, 5]), slope, out, 0, 2)
    with pytest.raises(ValueError, match="ascending"):
        slopes_along(tangent, np.array([0, 5, 4]), slope, out, 0, 2)
    with pytest.raises(ValueError, match="expected tangent"):
        slopes_along(tangent, begin, slope, np.zeros(3), 0, 2)
    with pytest.raises(ValueError, match="expected tangent"):
        weighted_tangents(tangent, begin, np.zeros(4, np.float32), np.zeros((2, 2)), 0, 2)


def test_sums_are_never_written_into_a_copy():
    tangent, begin = np.ones((4, 3), np.float32), np.array([0, 2, 4])
    with pytest.raises(TypeError):
        slopes_along(tangent, begin, np.ones((2, 3), np.float32), np.zeros(4, np.float32), 0, 2)


def test_structures_whose_rows_do_not_exist_are_refused():
    tangent, begin, first_site = np.ones((4, 3), np.float32), np.array([0, 2, 4]), np.array([0, 1, 2])
    row, slope, weighted = np.array([0, 1, 1, 1], np.int32), np.ones((2, 3), np.float32), np.zeros((2, 3))
    sums = StructureSums(2, 2)
    with pytest.raises(ValueError, match="expected rows that there are"):
        sums.add_species(tangent, begin, row + np.int32(1), slope, first_site, weighted)
    with pytest.raises(ValueError, match="ascending order"):
        sums.add_species(tangent, begin, row, slope, np.array([0, 2, 1]), weighted)
    sums.add_species(tangent, begin, row, slope, first_site, weighted)
    with pytest.raises(ValueError, match="structures that there are"):
        sums.run(0, 3, np.ones(2), np.zeros(2))
    with pytest.raises(ValueError, match="structures that there are"):
        sums.run(0, 2, np.ones(3), np.zeros(2))
