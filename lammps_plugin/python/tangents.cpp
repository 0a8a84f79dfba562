// alnn._kernel: sums over the tangents of a training.
#include "tangents.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include "define.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace alnn {
namespace {

template <class T, int Dimensions>
using Array = nb::ndarray<T, nb::ndim<Dimensions>, nb::c_contig, nb::device::cpu>;

Tangents tangents_of(const Array<const float, 2>& tangent, const Array<const std::int64_t, 1>& begin,
                     std::size_t first, std::size_t last) {
  const bool whole = last < begin.shape(0) && first <= last;
  if (!whole || begin.data()[first] < 0 || begin.data()[last] > static_cast<std::int64_t>(tangent.shape(0)))
    throw std::invalid_argument("expected sites first .. last whose entries are among the tangents");
  for (std::size_t site = first; site < last; ++site)
    if (begin.data()[site] > begin.data()[site + 1])
      throw std::invalid_argument("expected the beginnings of the sites' entries in ascending order");
  return {tangent.data(), begin.data(), first, last, tangent.shape(1)};
}

void expect_shape(bool fits) {
  if (!fits) throw std::invalid_argument("expected tangent (E, F) with (E,) and (sites, F) beside it");
}

void slopes_into(const Array<const float, 2>& tangent, const Array<const std::int64_t, 1>& begin,
                 const Array<const float, 2>& slope, const Array<double, 1>& out, std::size_t first,
                 std::size_t last) {
  expect_shape(slope.shape(1) == tangent.shape(1) && slope.shape(0) + 1 == begin.shape(0) &&
               out.shape(0) == tangent.shape(0));
  const Tangents some = tangents_of(tangent, begin, first, last);
  nb::gil_scoped_release free;
  slopes_along(some, slope.data(), out.data());
}

void weighted_into(const Array<const float, 2>& tangent, const Array<const std::int64_t, 1>& begin,
                   const Array<const float, 1>& weight, const Array<double, 2>& out, std::size_t first,
                   std::size_t last) {
  expect_shape(out.shape(1) == tangent.shape(1) && out.shape(0) + 1 == begin.shape(0) &&
               weight.shape(0) == tangent.shape(0));
  const Tangents some = tangents_of(tangent, begin, first, last);
  nb::gil_scoped_release free;
  weighted_tangents(some, weight.data(), out.data());
}

// One species' arrays, checked: whatever indexes memory is in range.
struct SpeciesArrays {
  Array<const float, 2> tangent;
  Array<const std::int64_t, 1> begin;
  Array<const std::int32_t, 1> row;
  Array<const float, 2> slope;
  Array<const std::int64_t, 1> first_site;
  Array<double, 2> weighted;

  SpeciesRows checked(std::size_t structures, std::size_t rows) const {
    const std::size_t sites = slope.shape(0);
    expect_shape(begin.shape(0) == sites + 1 && weighted.shape(0) == sites &&
                 slope.shape(1) == tangent.shape(1) && weighted.shape(1) == tangent.shape(1) &&
                 row.shape(0) == tangent.shape(0));
    tangents_of(tangent, begin, 0, sites);
    if (first_site.shape(0) != structures + 1 || first_site.data()[0] < 0 ||
        first_site.data()[structures] > static_cast<std::int64_t>(sites) ||
        !std::is_sorted(first_site.data(), first_site.data() + structures + 1))
      throw std::invalid_argument("expected the sites of each structure in ascending order");
    for (std::size_t e = 0; e < row.shape(0); ++e)
      if (row.data()[e] < 0 || static_cast<std::size_t>(row.data()[e]) >= rows)
        throw std::invalid_argument("expected rows that there are");
    return {tangent.data(),    begin.data(),    row.data(),      slope.data(),
            first_site.data(), weighted.data(), tangent.shape(1)};
  }
};

// Structures whose rows are summed in one go; arrays are checked when it is made, and kept.
class StructureSums {
 public:
  StructureSums(std::size_t structures, std::size_t rows) : structures_(structures), rows_(rows) {}

  void add_species(Array<const float, 2> tangent, Array<const std::int64_t, 1> begin,
                   Array<const std::int32_t, 1> row, Array<const float, 2> slope,
                   Array<const std::int64_t, 1> first_site, Array<double, 2> weighted) {
    arrays_.push_back({std::move(tangent), std::move(begin), std::move(row), std::move(slope),
                       std::move(first_site), std::move(weighted)});
    species_.push_back(arrays_.back().checked(structures_, rows_));
  }

  void run(std::size_t first, std::size_t last, const Array<const double, 1>& weight,
           const Array<double, 1>& sum) const {
    if (first > last || last > structures_ || weight.shape(0) != rows_ || sum.shape(0) != rows_)
      throw std::invalid_argument("expected structures that there are, weight and sum (R,)");
    nb::gil_scoped_release free;
    sums_of_structures(species_, first, last, weight.data(), sum.data());
  }

 private:
  std::size_t structures_, rows_;
  std::vector<SpeciesArrays> arrays_;
  std::vector<SpeciesRows> species_;
};

}  // namespace

void define_tangents(nb::module_& m) {
  m.def("slopes_along", &slopes_into, "tangent"_a, "begin"_a, "slope"_a, "out"_a.noconvert(), "first"_a,
        "last"_a,
        "Write into out (E,) the products tangent (E, F) . slope (sites, F) of each entry of the sites first "
        ".. last, "
        "those of site s from begin[s] on.");
  m.def("weighted_tangents", &weighted_into, "tangent"_a, "begin"_a, "weight"_a, "out"_a.noconvert(),
        "first"_a, "last"_a,
        "Write into out (sites, F) the sums over the entries of the sites first .. last of weight (E,) "
        "tangent (E, F).");
  nb::class_<StructureSums>(m, "StructureSums",
                            "Slopes of rows, and what follows from them, structure by structure.")
      .def(nb::init<std::size_t, std::size_t>(), "structures"_a, "rows"_a)
      .def("add_species", &StructureSums::add_species, "tangent"_a.noconvert(), "begin"_a.noconvert(),
           "row"_a.noconvert(), "slope"_a.noconvert(), "first_site"_a.noconvert(), "weighted"_a.noconvert(),
           "Sites of a species: their entries' tangent (E, F) and row (E,), those of site s from begin[s] "
           "on, slope and "
           "weighted (sites, F), the sites of structure k from first_site[k] on. Kept, not copied.")
      .def("run", &StructureSums::run, "first"_a, "last"_a, "weight"_a, "sum"_a.noconvert(),
           "For the structures first .. last add tangent . slope of all entries to sum (R,), then write into "
           "weighted "
           "the sums over the entries of each site of weight[row] sum[row] tangent.");
}

}  // namespace alnn
