#include "site_batch.hpp"

#include <algorithm>
#include <utility>

namespace alnn {

SiteBatch::SiteBatch(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)) {
  sites_.resize(capacity());
  std::size_t functions = 0, scratch = 0, members = 0;
  bool any_compact = false;
  for (const auto& element : plan_->elements) {
    const ElementView& e = element.view();
    functions = std::max<std::size_t>(functions, e.n_functions);
    members = std::max<std::size_t>(members, e.n_members);
    scratch = std::max<std::size_t>(scratch, network_scratch(e, capacity()));
    widest_ = std::max(widest_, e.widest_layer);
    row_ = std::max(row_, e.row);
    cutoffs_ = std::max(cutoffs_, e.n_cutoffs);
    n_variables_ = std::max(n_variables_, e.n_variables);
    legs_ = std::max(legs_, e.n_legs);
    any_compact = any_compact || e.n_compact > 0;
    moment_rows_ = std::max(moment_rows_, e.n_moment_rows);
    moment_degree_ = std::max(moment_degree_, e.moment_degree);
    extrapolations_.emplace_back(e.n_functions, 0L);
  }
  // Vectors of neighbours that begin anywhere reach beyond the padded end.
  if ((plan_->n_species() > 1 && n_variables_ > 0) || legs_ > 0 || any_compact) slack_ = 8;
  variables_.assign(static_cast<std::size_t>(n_variables_) * capacity(), 0.0);
  derivatives_.assign(variables_.size(), 0.0);
  gathered_.assign(n_variables_, 0.0);
  for (Site& site : sites_) grow(site, 32);
  values_.assign(functions, 0.0);
  X_.assign(functions * capacity(), 0.0);
  dX_.assign(functions * capacity(), 0.0);
  energies_.assign(std::max<std::size_t>(1, members) * capacity(), 0.0);
  scratch_.assign(scratch, 0.0);
}

void SiteBatch::start(int species) {
  species_ = species;
  n_sites_ = 0;
}

// Room for this many neighbours (a multiple of 8); what was added so far is kept.
void SiteBatch::grow(Site& site, int capacity) {
  const SiteView old = site.view;
  const AlignedVector before = std::move(site.slab);
  const std::size_t n = capacity + slack_, row = row_, cutoffs = cutoffs_, moment_rows = moment_rows_;
  site.slab.assign(n * (22 + 2 * cutoffs + 3 * row + 2 * moment_rows + 2 * legs_) + 2 * row, 0.0);
  SiteView& v = site.view;
  double* next = site.slab.data();
  const auto take = [&next](std::size_t count) {
    double* array = next;
    next += count;
    return array;
  };
  for (double** array : {&v.x,  &v.y,      &v.z,  &v.r2,         &v.inverse_r,  &v.ux,        &v.uy,
                         &v.uz, &v.gx,     &v.gy, &v.gz,         &v.ax,         &v.ay,        &v.az,
                         &v.b,  &v.radial, &v.q,  &site.other_x, &site.other_y, &site.other_z})
    *array = take(n);
  for (double** array : {&v.fc, &v.dfc}) *array = take(n * cutoffs);
  for (double** array : {&v.U, &v.D, &v.V}) *array = take(n * row);
  for (double** array : {&v.legs, &v.dlegs}) *array = take(n * legs_);
  for (double** array : {&v.R, &v.dR}) *array = take(n * moment_rows);
  for (double** array : {&v.G, &v.weight}) *array = take(row);
  std::copy_n(old.x, site.n, v.x), std::copy_n(old.y, site.n, v.y), std::copy_n(old.z, site.n, v.z);
  for (auto* numbers : {&site.species, &site.tags, &site.other_species, &site.other_tags})
    numbers->resize(capacity);
  site.begin.assign(plan_->n_species() + 1, 0);
  site.capacity = capacity;
  v.n_species = plan_->n_species();
  const std::size_t n_harmonics = (moment_degree_ + 1) * (moment_degree_ + 1) * n;
  if (harmonics_.size() < n_harmonics) harmonics_.resize(n_harmonics);
}

// By counting: those of one species stay in the order in which they came.
void SiteBatch::sort_by_species(Site& site) {
  const int n_species = plan_->n_species(), n = site.n;
  std::fill(site.begin.begin() + 1, site.begin.end(), n);
  if (n_species == 1) return;
  SiteView& v = site.view;
  next_.assign(n_species, 0);
  for (int j = 0; j < n; ++j) ++next_[site.species[j]];
  for (int s = 0, begin = 0; s < n_species; ++s) {
    site.begin[s] = begin;
    begin += std::exchange(next_[s], begin);
  }
  const Added sorted{site.other_x, site.other_y, site.other_z, site.other_species.data(),
                     site.other_tags.data()};
  for (int j = 0; j < n; ++j)
    sorted.put(next_[site.species[j]]++, {v.x[j], v.y[j], v.z[j], site.species[j], site.tags[j]});
  std::swap(v.x, site.other_x), std::swap(v.y, site.other_y), std::swap(v.z, site.other_z);
  site.species.swap(site.other_species), site.tags.swap(site.other_tags);
}

std::size_t SiteBatch::power_count(const Site& site) const {
  const ElementView& e = plan_->elements[species_].view();
  std::size_t count = 0;
  for (int i = 0; i < e.n_angular; ++i) {
    const AngularBlock& block = e.angular[i];
    if (site.view.crowded && block.by_moments) continue;
    const std::size_t a = site.begin[block.species_a + 1] - site.begin[block.species_a];
    const std::size_t b = site.begin[block.species_b + 1] - site.begin[block.species_b];
    const std::size_t triplets = block.species_a == block.species_b ? a * (a ? a - 1 : 0) / 2 : a * b;
    count += triplets * plan_->kernel.width;
  }
  return count;
}

SiteView& SiteBatch::prepare(Site& site, bool gradients) {
  sort_by_species(site);
  SiteView& v = site.view;
  v.n = site.n;
  v.padded = round_up(site.n, 8) + slack_;
  v.crowded = site.n >= plan_->elements[species_].view().crowded_from;
  v.Y = harmonics_.data();
  v.B = gathered_.data();
  v.begin = site.begin.data();
  const double far = 10.0 * plan_->potential.cutoff;  // padding neighbours: a finite distance, f_c = 0
  for (int j = v.n; j < v.padded; ++j) v.x[j] = v.y[j] = v.z[j] = far;
  if (gradients) {
    const std::size_t needed = power_count(site);
    if (site.powers.size() < needed) site.powers.resize(2 * needed, 0.0);
    v.powers = site.powers.data();
  }
  return v;
}

Neighborhood SiteBatch::plain_neighborhood(const Site& site) const {
  Neighborhood neighborhood;
  const SiteView& v = site.view;
  for (int j = 0; j < v.n; ++j) neighborhood.vectors.push_back({v.x[j], v.y[j], v.z[j]});
  neighborhood.species.assign(site.species.begin(), site.species.begin() + v.n);
  return neighborhood;
}

void SiteBatch::add_plain_descriptors(Site& site) {
  const ElementPlan& element = plan_->elements[species_];
  if (element.plain().empty()) return;
  const Neighborhood neighborhood = plain_neighborhood(site);
  for (const int k : element.plain())
    site.view.G[element.view().position[k]] = reference::evaluate_function(
        plan_->potential.elements[species_].functions[k], neighborhood, plan_->n_species());
}

bool SiteBatch::any_crowded() const {
  return std::any_of(sites_.begin(), sites_.begin() + n_sites_, [](const Site& s) { return s.view.crowded; });
}

void SiteBatch::evaluate_descriptors(bool for_gradients) {
  const ElementView& e = plan_->elements[species_].view();
  const Kernel& kernel = plan_->kernel;
  for (int i = 0; i < n_sites_; ++i) {
    kernel.descriptors(e, prepare(sites_[i], for_gradients), for_gradients, variables_.data(), i);
    add_plain_descriptors(sites_[i]);
  }
  kernel.invariants(e.always, variables_.data());
  if (any_crowded()) kernel.invariants(e.crowded, variables_.data());
}

double SiteBatch::descriptor(int site, int k) const {
  const ElementView& e = plan_->elements[species_].view();
  if (by_moments(e, site, k)) return variables_[e.variable[k] * capacity() + site];
  return sites_[site].view.G[e.position[k]] * e.prefactor[k];
}

// All functions of a site, in the order of the file. Most sites have no moments, and this runs for each site
// of each step.
void SiteBatch::gather_values(const ElementView& e, int site) {
  const double* G = sites_[site].view.G;
  if (any_by_moments(e, site))
    for (int k = 0; k < e.n_functions; ++k) values_[k] = descriptor(site, k);
  else
    for (int k = 0; k < e.n_functions; ++k) values_[k] = G[e.position[k]] * e.prefactor[k];
}

void SiteBatch::count_outside(const ElementView& e, int site) {
  bool outside = false;
  for (int k = 0; k < e.n_functions; ++k) {
    if (!is_outside(e, k, values_[k])) continue;
    ++extrapolations_[species_][k];
    if (first_outside_.site < 0) first_outside_ = {site, species_, k, values_[k]};
    outside = true;
  }
  extrapolating_sites_ += outside;
}

void SiteBatch::reset_extrapolations() {
  for (auto& counts : extrapolations_) std::fill(counts.begin(), counts.end(), 0L);
  extrapolating_sites_ = 0;
  first_outside_ = {};
}

void SiteBatch::clear_weights() {
  const ElementView& e = plan_->elements[species_].view();
  for (int i = 0; i < n_sites_; ++i) std::fill_n(sites_[i].view.weight, e.row, 0.0);
  const int used = any_crowded() ? e.n_variables : e.crowded.first_variable;  // `always` comes first
  std::fill_n(derivatives_.begin(), used * capacity(), 0.0);
}

void SiteBatch::set_weight(int site, int k, double weight) {
  const ElementView& e = plan_->elements[species_].view();
  if (by_moments(e, site, k))
    derivatives_[e.variable[k] * capacity() + site] += weight;
  else
    sites_[site].view.weight[e.position[k]] = weight * e.prefactor[k];
}

// From dE/dX.
void SiteBatch::set_weights(const ElementView& e, int site) {
  const double* dX = &dX_[site];
  const int width = capacity();
  double* weight = sites_[site].view.weight;
  if (any_by_moments(e, site))
    for (int k = 0; k < e.n_functions; ++k) set_weight(site, k, dX[k * width] * e.inverse_std[k]);
  else
    for (int k = 0; k < e.n_functions; ++k)
      weight[e.position[k]] = dX[k * width] * e.inverse_std[k] * e.prefactor[k];
}

void SiteBatch::all_gradients() {
  const ElementView& e = plan_->elements[species_].view();
  if (any_crowded()) plan_->kernel.invariant_gradients(e.crowded, variables_.data(), derivatives_.data());
  plan_->kernel.invariant_gradients(e.always, variables_.data(), derivatives_.data());
  for (int i = 0; i < n_sites_; ++i) gradients_of(i);
}

void SiteBatch::gradients_of(int i) {
  const ElementPlan& element = plan_->elements[species_];
  SiteView& v = sites_[i].view;
  plan_->kernel.gradients(element.view(), v, derivatives_.data(), i);
  if (element.plain().empty()) return;
  const Neighborhood neighborhood = plain_neighborhood(sites_[i]);
  std::vector<Vec3> g(v.n);
  for (const int k : element.plain())
    reference::evaluate_function(plan_->potential.elements[species_].functions[k], neighborhood,
                                 plan_->n_species(), v.weight[element.view().position[k]], g.data());
  for (int j = 0; j < v.n; ++j) v.gx[j] += g[j].x, v.gy[j] += g[j].y, v.gz[j] += g[j].z;
}

void SiteBatch::contract(const double* weights) {
  clear_weights();
  for (int i = 0; i < n_sites_; ++i)
    for (int k = 0; k < plan_->elements[species_].view().n_functions; ++k)
      if (weights[k] != 0.0) set_weight(i, k, weights[k]);
  all_gradients();
}

void SiteBatch::evaluate(bool gradients) {
  if (n_sites_ == 0) return;
  const ElementView& e = plan_->elements[species_].view();
  const int width = capacity();
  evaluate_descriptors(gradients);
  for (int i = 0; i < n_sites_; ++i) {
    gather_values(e, i);
    if (counting_) count_outside(e, i);
    for (int k = 0; k < e.n_functions; ++k) X_[k * width + i] = (values_[k] - e.mean[k]) * e.inverse_std[k];
  }
  BatchView batch{X_.data(), dX_.data(), energies_.data(), scratch_.data(),
                  hidden_.empty() ? nullptr : hidden_.data()};
  plan_->kernel.network(e, batch, gradients);
  if (gradients) {
    clear_weights();
    for (int i = 0; i < n_sites_; ++i) set_weights(e, i);
    all_gradients();
  }
  if (plan_->potential.repulsion.empty()) return;
  for (int i = 0; i < n_sites_; ++i) add_repulsion(i, gradients);
}

// To every member half of what each neighbour adds; the neighbour's own site has the other half.
void SiteBatch::add_repulsion(int i, bool gradients) {
  const SiteView& v = sites_[i].view;
  double energy = 0.0, slope = 0.0;
  for (int j = 0; j < v.n; ++j) {
    const double r2 = v.x[j] * v.x[j] + v.y[j] * v.y[j] + v.z[j] * v.z[j];
    energy += 0.5 * plan_->potential.repulsion.energy(species_, sites_[i].species[j], r2, &slope);
    if (!gradients || slope == 0.0) continue;
    v.gx[j] += 0.5 * slope * v.x[j], v.gy[j] += 0.5 * slope * v.y[j], v.gz[j] += 0.5 * slope * v.z[j];
  }
  for (int m = 0; m < plan_->potential.n_members(); ++m) energies_[m * capacity() + i] += energy;
}

double SiteBatch::energy(int site) const {
  const int members = plan_->elements[species_].view().n_members;
  double total = 0.0;
  for (int m = 0; m < members; ++m) total += member_energy(site, m);
  return total / members;
}

}  // namespace alnn
