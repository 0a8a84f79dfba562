// Evaluates sites, up to one vector's width at a time: gather neighbours, evaluate, take energies and
// gradients.
//
//   batch.start(species);
//   while (...) { batch.add_site(); batch.add_neighbor(...); ...; if (batch.full()) {batch.evaluate(true);
//   ...} }
//
// One object a thread.
#pragma once

#include <memory>
#include <vector>

#include "plan.hpp"
#include "reference.hpp"

namespace alnn {

class SiteBatch {
 public:
  explicit SiteBatch(std::shared_ptr<const Plan> plan);

  const Plan& plan() const { return *plan_; }
  /// Sites that one evaluation takes.
  int capacity() const { return plan_->kernel.width; }
  int size() const { return n_sites_; }
  bool full() const { return n_sites_ == capacity(); }

  /// Begin a new batch of sites of one species.
  void start(int species);
  /// Begin the next site.
  void add_site() { sites_[n_sites_++].n = 0; }
  /// Add a neighbour of the last site: neighbour minus site (angstrom), its species, and the caller's own
  /// tag. Neighbours beyond the cutoff are allowed and add nothing.
  void add_neighbor(double x, double y, double z, int species, int tag) {
    Site& site = sites_[n_sites_ - 1];
    if (site.n == site.capacity) grow(site, 2 * site.capacity);
    site.put(site.n++, {x, y, z, species, tag});
  }
  struct Neighbor {
    double x, y, z;
    int species, tag;
  };
  /// Add those of candidate(0 .. count - 1) that are within the cutoff; the smallest squared distance among
  /// all. Each is written and then counted or not: a branch on the distance is mispredicted every other time.
  template <class Candidate>
  double add_within_cutoff(int count, const Candidate& candidate) {
    Site& site = sites_[n_sites_ - 1];
    while (site.n + count > site.capacity) grow(site, 2 * site.capacity);
    const double cutoff_squared = plan_->potential.cutoff * plan_->potential.cutoff;
    const Added to{site.view.x, site.view.y, site.view.z, site.species.data(), site.tags.data()};
    double smallest = cutoff_squared;
    int n = site.n;
    for (int k = 0; k < count; ++k) {
      const Neighbor neighbor = candidate(k);
      to.put(n, neighbor);
      const double r2 = neighbor.x * neighbor.x + neighbor.y * neighbor.y + neighbor.z * neighbor.z;
      n += r2 < cutoff_squared;
      smallest = r2 < smallest ? r2 : smallest;
    }
    site.n = n;
    return smallest;
  }

  /// Descriptors only: descriptor(...) is valid afterwards.
  void evaluate_descriptors(bool for_gradients);
  /// Energies, and gradients if wanted.
  void evaluate(bool gradients);
  /// After evaluate(true): gradients of the network's energy by this member alone, without repulsion.
  void member_gradients(int member);
  /// After evaluate_descriptors(true): gradients of sum_k weights[k] G_k of each site.
  void contract(const double* weights);

  double energy(int site) const;
  double member_energy(int site, int member) const { return energies_[member * capacity() + site]; }
  /// Grade of a site (see grade.hpp) after evaluate; only while it is kept and the potential has one.
  double grade(int site) const;
  void keep_grade(bool on) { hidden_.assign(on ? widest_ * capacity() : 0, 0.0); }
  /// Function k of the file at a site.
  double descriptor(int site, int k) const;
  /// A variable of moments (see ElementView) at a site that takes its functions from them.
  double variable(int site, int v) const { return variables_[v * capacity() + site]; }
  /// Neighbours of a site as evaluated (their order is not that of add_neighbor).
  int n_neighbors(int site) const { return sites_[site].n; }
  int tag(int site, int j) const { return sites_[site].tags[j]; }
  Vec3 vector(int site, int j) const {
    const SiteView& v = sites_[site].view;
    return {v.x[j], v.y[j], v.z[j]};
  }
  /// dE/d(vector of neighbour j).
  Vec3 gradient(int site, int j) const {
    const SiteView& v = sites_[site].view;
    return {v.gx[j], v.gy[j], v.gz[j]};
  }

  /// Extrapolations: for function k of a species, how many evaluated sites were outside the training range.
  void count_extrapolations(bool on) { counting_ = on; }
  const std::vector<std::vector<long>>& extrapolations() const { return extrapolations_; }
  /// Sites with at least one function outside.
  long extrapolating_sites() const { return extrapolating_sites_; }
  /// The first value outside since `reset_extrapolations`; its site is one of the batch that was evaluated
  /// then.
  struct Outside {
    int site = -1;  ///< -1: none so far
    int species = 0, function = 0;
    double value = 0.0;
  };
  const Outside& first_outside() const { return first_outside_; }
  void reset_extrapolations();

 private:
  struct Added {
    double *x, *y, *z;
    int *species, *tags;
    void put(int j, const Neighbor& from) const {
      x[j] = from.x, y[j] = from.y, z[j] = from.z;
      species[j] = from.species, tags[j] = from.tag;
    }
  };
  // Arrays of one site, carved from one slab that only grows.
  struct Site {
    int n = 0, capacity = 0;
    std::vector<int> species, tags, begin, other_species, other_tags;
    AlignedVector slab, powers;
    double *other_x, *other_y, *other_z;  // where neighbours go when they are sorted by species
    SiteView view{};
    void put(int j, const Neighbor& from) {
      Added{view.x, view.y, view.z, species.data(), tags.data()}.put(j, from);
    }
  };

  void grow(Site& site, int capacity);
  SiteView& prepare(Site& site, bool gradients);
  void sort_by_species(Site& site);
  std::size_t power_count(const Site& site) const;
  Neighborhood plain_neighborhood(const Site& site) const;
  void add_plain_descriptors(Site& site);
  bool by_moments(const ElementView& e, int site, int k) const {
    return e.variable[k] >= 0 && (e.is_always[k] || sites_[site].view.crowded);
  }
  bool any_by_moments(const ElementView& e, int site) const {
    return e.always.n_blocks > 0 || sites_[site].view.crowded;
  }
  bool any_crowded() const;
  void clear_weights();
  void set_weight(int site, int k, double weight);
  void set_weights(const ElementView& e, int site);
  void all_gradients();
  void gradients_of(int site);
  void gather_values(const ElementView& e, int site);
  void count_outside(const ElementView& e, int site);
  void add_repulsion(int site, bool gradients);

  std::shared_ptr<const Plan> plan_;
  int species_ = 0, n_sites_ = 0, widest_ = 0, row_ = 0, cutoffs_ = 0, legs_ = 0, slack_ = 0;
  std::vector<Site> sites_;
  std::vector<int> next_;  // of each species, while sorting
  AlignedVector values_;   // of one site
  AlignedVector X_, dX_, energies_, scratch_, hidden_;
  AlignedVector variables_, derivatives_, gathered_;  // of moments: [n_variables][capacity] and [n_variables]
  AlignedVector harmonics_;
  int n_variables_ = 0, moment_rows_ = 0, moment_degree_ = 0;
  bool counting_ = false;
  std::vector<std::vector<long>> extrapolations_;
  long extrapolating_sites_ = 0;
  Outside first_outside_;
};

}  // namespace alnn
