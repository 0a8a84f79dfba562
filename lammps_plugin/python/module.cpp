// alnn._kernel: descriptors, their derivatives and energies for NumPy arrays. Only this folder converts
// arrays.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>

#include "define.hpp"
#include "potential_file/read.hpp"
#include "site_batch.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace alnn {
namespace {

using Doubles = nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Ints = nb::ndarray<const int, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Vectors = std::vector<std::vector<double>>;

template <class T>
nb::object array_of(std::vector<T> data, std::initializer_list<std::size_t> shape) {
  auto* owner = new std::vector<T>(std::move(data));
  nb::capsule guard(owner, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  return nb::cast(nb::ndarray<nb::numpy, T>(owner->data(), shape, guard));
}

void expect(bool condition, const char* message) {
  if (!condition) throw std::invalid_argument(message);
}

// Atoms and their pairs (first, second, vector = second minus first), in any order.
class PairList {
 public:
  PairList(const Ints& species, const Ints& first, const Ints& second, const Doubles& vectors, int n_species)
      : n_atoms(species.shape(0)),
        n_pairs(first.shape(0)),
        species_(species.data()),
        second_(second.data()),
        vectors_(vectors.data()) {
    expect(second.shape(0) == n_pairs && vectors.shape(0) == n_pairs && vectors.shape(1) == 3,
           "expected first (P,), second (P,) and vectors (P, 3)");
    const auto is_atom = [this](int i) { return i >= 0 && static_cast<std::size_t>(i) < n_atoms; };
    for (std::size_t i = 0; i < n_atoms; ++i)
      expect(species_[i] >= 0 && species_[i] < n_species, "species index out of range");
    begin_.assign(n_atoms + 1, 0);
    for (std::size_t p = 0; p < n_pairs; ++p) {
      expect(is_atom(first.data()[p]) && is_atom(second_[p]), "pair index out of range");
      ++begin_[first.data()[p] + 1];
    }
    for (std::size_t i = 0; i < n_atoms; ++i) begin_[i + 1] += begin_[i];
    pairs_.resize(n_pairs);
    std::vector<int> next(begin_.begin(), begin_.end() - 1);
    for (std::size_t p = 0; p < n_pairs; ++p) pairs_[next[first.data()[p]]++] = static_cast<int>(p);
  }

  /// visit(site of the batch, atom) for each site after `evaluate()`.
  template <class Evaluate, class Visit>
  void for_each_site(SiteBatch& batch, const Evaluate& evaluate, const Visit& visit) const {
    for_each_batch(batch, evaluate, [&](const std::vector<int>& atoms) {
      for (std::size_t i = 0; i < atoms.size(); ++i) visit(static_cast<int>(i), atoms[i]);
    });
  }

  /// Fills the batch with all atoms, species by species, and calls visit(atoms of its sites) after
  /// `evaluate()`.
  template <class Evaluate, class Visit>
  void for_each_batch(SiteBatch& batch, const Evaluate& evaluate, const Visit& visit) const {
    std::vector<int> atoms;
    const auto flush = [&](int species) {
      if (!atoms.empty()) evaluate(), visit(atoms);
      atoms.clear();
      batch.start(species);
    };
    for (int s = 0; s < batch.plan().n_species(); ++s) {
      batch.start(s);
      for (std::size_t i = 0; i < n_atoms; ++i) {
        if (species_[i] != s) continue;
        add_site(batch, static_cast<int>(i));
        atoms.push_back(static_cast<int>(i));
        if (batch.full()) flush(s);
      }
      flush(s);
    }
  }

  int second(int pair) const { return second_[pair]; }
  int species(int atom) const { return species_[atom]; }
  const std::size_t n_atoms, n_pairs;

 private:
  void add_site(SiteBatch& batch, int atom) const {
    batch.add_site();
    for (int q = begin_[atom]; q < begin_[atom + 1]; ++q) {
      const double* d = vectors_ + 3 * static_cast<std::size_t>(pairs_[q]);
      batch.add_neighbor(d[0], d[1], d[2], species_[second_[pairs_[q]]], pairs_[q]);
    }
  }

  const int* species_;
  const int* second_;
  const double* vectors_;
  std::vector<int> begin_, pairs_;
};

const Kernel& kernel_named(const std::string& isa) {
  if (isa.empty()) return best_kernel();
  int count = 0;
  const auto* all = available_kernels(&count);
  for (int i = 0; i < count; ++i)
    if (isa == all[i]->name) return *all[i];
  throw std::invalid_argument("this machine cannot run instruction set " + isa);
}

std::vector<std::string> instruction_sets() {
  int count = 0;
  const auto* all = available_kernels(&count);
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.emplace_back(all[i]->name);
  return names;
}

Neighborhood neighborhood_of(const std::vector<int>& species, const Vectors& vectors) {
  expect(species.size() == vectors.size(), "expected as many species as vectors");
  Neighborhood neighborhood;
  neighborhood.species = species;
  for (const auto& v : vectors) neighborhood.vectors.push_back({v.at(0), v.at(1), v.at(2)});
  return neighborhood;
}

class PythonKernel {
 public:
  PythonKernel(Potential potential, const std::string& isa, int crowded_from)
      : plan_(std::make_shared<Plan>(std::move(potential), kernel_named(isa), crowded_from)), batch_(plan_) {
    for (const auto& element : plan_->potential.elements) row_ = std::max(row_, element.functions.size());
  }

  nb::object descriptors(const Ints& species, const Ints& first, const Ints& second, const Doubles& vectors) {
    const PairList pairs(species, first, second, vectors, plan_->n_species());
    std::vector<double> values(pairs.n_atoms * row_, 0.0);
    pairs.for_each_site(
        batch_, [&] { batch_.evaluate_descriptors(false); },
        [&](int site, int atom) {
          for (std::size_t k = 0; k < n_functions(pairs.species(atom)); ++k)
            values[atom * row_ + k] = batch_.descriptor(site, static_cast<int>(k));
        });
    return array_of(std::move(values), {pairs.n_atoms, row_});
  }

  nb::object derivatives(const Ints& species, const Ints& first, const Ints& second, const Doubles& vectors) {
    const PairList pairs(species, first, second, vectors, plan_->n_species());
    std::vector<double> values(pairs.n_pairs * row_ * 3, 0.0), unit(row_, 0.0);
    pairs.for_each_batch(
        batch_, [&] { batch_.evaluate_descriptors(true); },
        [&](const std::vector<int>& atoms) {
          for (std::size_t k = 0; k < n_functions(pairs.species(atoms[0])); ++k) {
            unit[k] = 1.0;
            batch_.contract(unit.data());
            unit[k] = 0.0;
            for (int site = 0; site < batch_.size(); ++site)
              for (int j = 0; j < batch_.n_neighbors(site); ++j) {
                const Vec3 g = batch_.gradient(site, j);
                double* out = &values[(batch_.tag(site, j) * row_ + k) * 3];
                out[0] = g.x, out[1] = g.y, out[2] = g.z;
              }
          }
        });
    return array_of(std::move(values), {pairs.n_pairs, row_, 3});
  }

  nb::dict evaluate(const Ints& species, const Ints& first, const Ints& second, const Doubles& vectors,
                    const Ints& structure, int n_structures, bool forces, bool grades, bool member_forces) {
    const PairList pairs(species, first, second, vectors, plan_->n_species());
    expect(plan_->potential.n_members() > 0, "this kernel holds descriptors only");
    expect(structure.shape(0) == pairs.n_atoms, "expected structure (A,)");
    expect(!grades || plan_->potential.has_grade(), "this potential has no grade");
    for (std::size_t i = 0; i < pairs.n_atoms; ++i)
      expect(structure.data()[i] >= 0 && structure.data()[i] < n_structures, "structure index out of range");
    const std::size_t members = plan_->potential.n_members(), count = n_structures;
    std::vector<double> site_energies(pairs.n_atoms), member_energies(count * members, 0.0);
    std::vector<double> f(forces ? pairs.n_atoms * 3 : 0, 0.0), virial(forces ? count * 9 : 0, 0.0);
    std::vector<double> grade(grades ? pairs.n_atoms : 0);
    std::vector<double> of_members(member_forces ? members * pairs.n_atoms * 3 : 0, 0.0);
    batch_.reset_extrapolations();
    batch_.count_extrapolations(true);
    batch_.keep_grade(grades);
    nb::object outside = nb::none();
    const auto visit_site = [&](int site, int atom) {
      if (outside.is_none() && batch_.first_outside().site == site) outside = first_outside(atom);
      const std::size_t s = structure.data()[atom];
      site_energies[atom] = batch_.energy(site);
      for (std::size_t m = 0; m < members; ++m)
        member_energies[s * members + m] += batch_.member_energy(site, static_cast<int>(m));
      if (forces) add_forces(pairs, site, atom, f.data(), &virial[9 * s]);
      if (grades) grade[atom] = batch_.grade(site);
    };
    pairs.for_each_batch(
        batch_, [&] { batch_.evaluate(forces || member_forces); },
        [&](const std::vector<int>& atoms) {
          for (std::size_t i = 0; i < atoms.size(); ++i) visit_site(static_cast<int>(i), atoms[i]);
          if (member_forces) add_member_forces(pairs, atoms, of_members.data());
        });
    batch_.count_extrapolations(false);
    nb::dict result;
    result["site_energies"] = array_of(std::move(site_energies), {pairs.n_atoms});
    result["member_energies"] = array_of(std::move(member_energies), {count, members});
    result["extrapolating_sites"] = batch_.extrapolating_sites();
    result["extrapolations"] = batch_.extrapolations();
    result["first_outside"] = outside;
    if (grades) result["grades"] = array_of(std::move(grade), {pairs.n_atoms});
    if (member_forces) result["member_forces"] = array_of(std::move(of_members), {members, pairs.n_atoms, 3});
    if (forces) {
      result["forces"] = array_of(std::move(f), {pairs.n_atoms, 3});
      result["virial"] = array_of(std::move(virial), {count, 3, 3});
    }
    return result;
  }

  std::pair<double, Vectors> plain_site(int species, const std::vector<int>& neighbors,
                                        const Vectors& vectors) {
    expect(plan_->potential.n_members() > 0, "this kernel holds descriptors only");
    std::vector<Vec3> gradient;
    const double energy =
        reference::site_energy(plan_->potential, species, neighborhood_of(neighbors, vectors), &gradient);
    Vectors rows;
    for (const auto& g : gradient) rows.push_back({g.x, g.y, g.z});
    return {energy, rows};
  }

  std::vector<double> plain_descriptors(int species, const std::vector<int>& neighbors,
                                        const Vectors& vectors) {
    return reference::descriptors(plan_->potential.elements.at(species), neighborhood_of(neighbors, vectors),
                                  plan_->n_species());
  }

  bool has_grade() const { return plan_->potential.has_grade(); }
  std::string isa() const { return plan_->kernel.name; }
  double cutoff() const { return plan_->potential.cutoff; }
  std::vector<std::size_t> lengths() const {
    std::vector<std::size_t> lengths;
    for (const auto& element : plan_->potential.elements) lengths.push_back(element.functions.size());
    return lengths;
  }

 private:
  std::size_t n_functions(int species) const { return plan_->potential.elements[species].functions.size(); }

  void add_forces(const PairList& pairs, int site, int atom, double* f, double* virial) const {
    for (int j = 0; j < batch_.n_neighbors(site); ++j) {
      const Vec3 g = batch_.gradient(site, j), d = batch_.vector(site, j);
      const double gv[3] = {g.x, g.y, g.z}, dv[3] = {d.x, d.y, d.z};
      double* own = f + 3 * static_cast<std::size_t>(atom);
      double* other = f + 3 * static_cast<std::size_t>(pairs.second(batch_.tag(site, j)));
      for (int x = 0; x < 3; ++x) {
        own[x] += gv[x];
        other[x] -= gv[x];
        for (int y = 0; y < 3; ++y) virial[3 * x + y] -= dv[x] * gv[y];
      }
    }
  }

  /// What the atoms of the batch add to the forces [members][atoms][3] of each network.
  void add_member_forces(const PairList& pairs, const std::vector<int>& atoms, double* forces) {
    double unused[9] = {};
    for (int m = 0; m < plan_->potential.n_members(); ++m) {
      batch_.member_gradients(m);
      for (std::size_t i = 0; i < atoms.size(); ++i)
        add_forces(pairs, static_cast<int>(i), atoms[i], forces + 3 * pairs.n_atoms * m, unused);
    }
  }

  nb::object first_outside(int atom) const {
    const SiteBatch::Outside& outside = batch_.first_outside();
    const Element& element = plan_->potential.elements[outside.species];
    return nb::make_tuple(atom, outside.function,
                          describe(element.functions[outside.function], plan_->potential), outside.value);
  }

  std::shared_ptr<const Plan> plan_;
  SiteBatch batch_;
  std::size_t row_ = 0;
};

// Energies (P,) and slopes dE/dr (P,) of pairs by the repulsion of a document.
nb::object repulsion(const std::string& text, const std::string& where, const Ints& species,
                     const Ints& first, const Ints& second, const Doubles& vectors) {
  const Repulsion repulsion = parse_repulsion(text, where);
  const std::size_t n_atoms = species.shape(0), n_pairs = first.shape(0);
  expect(second.shape(0) == n_pairs && vectors.shape(0) == n_pairs && vectors.shape(1) == 3,
         "expected first (P,), second (P,) and vectors (P, 3)");
  const auto is_atom = [n_atoms](int i) { return i >= 0 && static_cast<std::size_t>(i) < n_atoms; };
  std::vector<double> energies(n_pairs), slopes(n_pairs);
  for (std::size_t p = 0; p < n_pairs; ++p) {
    const int i = first.data()[p], j = second.data()[p];
    expect(is_atom(i) && is_atom(j), "pair index out of range");
    expect(species.data()[i] >= 0 && species.data()[j] >= 0, "species index out of range");
    const double* d = vectors.data() + 3 * p;
    const double r2 = norm2({d[0], d[1], d[2]});
    energies[p] = repulsion.energy(species.data()[i], species.data()[j], r2, &slopes[p]);
    slopes[p] *= std::sqrt(r2);
  }
  return nb::make_tuple(array_of(std::move(energies), {n_pairs}), array_of(std::move(slopes), {n_pairs}));
}

}  // namespace
}  // namespace alnn

NB_MODULE(_kernel, m) {
  using alnn::Potential;
  using alnn::PythonKernel;
  m.doc() = "Descriptors, their derivatives and energies for NumPy arrays.";
  nb::exception<alnn::PotentialError>(m, "PotentialError");
  alnn::define_tangents(m);
  m.def("instruction_sets", &alnn::instruction_sets, "Instruction sets this machine can run, slowest first.");
  m.def("repulsion", &alnn::repulsion, "text"_a, "where"_a, "species"_a, "first"_a, "second"_a, "vectors"_a,
        "Energies (eV) of pairs and their derivatives by the distance (eV/angstrom), both (P,), by the "
        "repulsion of "
        "{\"species\": ..., \"repulsion\": ...}; raises PotentialError.");
  nb::class_<PythonKernel>(m, "Kernel")
      .def_static(
          "from_potential",
          [](const std::string& text, const std::string& where, const std::string& isa, int crowded_from) {
            return new PythonKernel(alnn::parse_potential(text, where), isa, crowded_from);
          },
          "text"_a, "where"_a = "(memory)", "isa"_a = "", "crowded_from"_a = -1,
          nb::rv_policy::take_ownership,
          "A kernel for the text of a potential file; raises PotentialError. Sites of at least "
          "`crowded_from` "
          "neighbours take G2 and G5 from moments; -1: where that is cheaper.")
      .def_static(
          "from_descriptors",
          [](const std::string& text, const std::string& where, const std::string& isa, int crowded_from) {
            return new PythonKernel(alnn::parse_descriptors(text, where), isa, crowded_from);
          },
          "text"_a, "where"_a = "(memory)", "isa"_a = "", "crowded_from"_a = -1,
          nb::rv_policy::take_ownership,
          "A kernel without networks, for {\"species\": ..., \"descriptors\": ...}.")
      .def("descriptors", &PythonKernel::descriptors, "species"_a, "first"_a, "second"_a, "vectors"_a,
           "Descriptors (A, n_functions) of all atoms; rows of species with fewer functions end in zeros.")
      .def("derivatives", &PythonKernel::derivatives, "species"_a, "first"_a, "second"_a, "vectors"_a,
           "dG_k(first)/d(vector) of each pair, (P, n_functions, 3), 1/angstrom.")
      .def("evaluate", &PythonKernel::evaluate, "species"_a, "first"_a, "second"_a, "vectors"_a,
           "structure"_a, "n_structures"_a, "forces"_a = true, "grades"_a = false, "member_forces"_a = false,
           "Energies (eV), forces (eV/angstrom) and virials (eV, minus sum of d x dE/dd) of a batch of "
           "structures; grades of the atoms and forces (M, A, 3) by each member's networks where asked for.")
      .def_prop_ro("has_grade", &PythonKernel::has_grade,
                   "Whether the potential has what grades are made by.")
      .def("plain_site", &PythonKernel::plain_site, "species"_a, "neighbors"_a, "vectors"_a,
           "Energy of one site and its gradients by the plain formulas.")
      .def("plain_descriptors", &PythonKernel::plain_descriptors, "species"_a, "neighbors"_a, "vectors"_a,
           "Descriptors of one site by the plain formulas.")
      .def_prop_ro("isa", &PythonKernel::isa, "Instruction set in use.")
      .def_prop_ro("cutoff", &PythonKernel::cutoff, "Largest cutoff, angstrom.")
      .def_prop_ro("lengths", &PythonKernel::lengths, "Number of functions of each species.");
}
