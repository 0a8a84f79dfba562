#include "site_batch.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace alnn {

namespace {

// Grow only, so that a steady state allocates nothing.
void at_least(AlignedVector& array, std::size_t n) {
  if (array.size() < n) array.resize(n + n / 2, 0.0);
}

template <class Array>
void permute(Array& array, const std::vector<int>& order) {
  Array sorted(array.size());
  for (std::size_t i = 0; i < order.size(); ++i) sorted[i] = array[order[i]];
  array.swap(sorted);
}

}  // namespace

SiteBatch::SiteBatch(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)) {
  sites_.resize(capacity());
  views_.resize(capacity());
  std::size_t functions = 0, scratch = 0, members = 0;
  for (const auto& element : plan_->elements) {
    const ElementView& e = element.view();
    functions = std::max<std::size_t>(functions, e.n_functions);
    members = std::max<std::size_t>(members, e.n_members);
    scratch = std::max<std::size_t>(scratch, network_scratch(e, capacity()));
    extrapolations_.emplace_back(e.n_functions, 0L);
  }
  X_.assign(functions * capacity(), 0.0);
  dX_.assign(functions * capacity(), 0.0);
  energies_.assign(std::max<std::size_t>(1, members) * capacity(), 0.0);
  scratch_.assign(scratch, 0.0);
}

void SiteBatch::start(int species) {
  species_ = species;
  n_sites_ = 0;
}

void SiteBatch::sort_by_species(Site& site) {
  const int n_species = plan_->n_species();
  const int n = static_cast<int>(site.tags.size());
  site.begin.assign(n_species + 1, n);
  site.begin[0] = 0;
  if (n_species == 1) return;
  if (!std::is_sorted(site.species.begin(), site.species.end())) {
    std::vector<int> order(n);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return site.species[a] < site.species[b]; });
    permute(site.x, order), permute(site.y, order), permute(site.z, order);
    permute(site.species, order), permute(site.tags, order);
  }
  for (int s = 1; s < n_species; ++s)
    site.begin[s] = static_cast<int>(std::lower_bound(site.species.begin(), site.species.end(), s) -
                                     site.species.begin());
}

std::size_t SiteBatch::power_count(const Site& site) const {
  const ElementView& e = plan_->elements[species_].view();
  std::size_t count = 0;
  for (int i = 0; i < e.n_angular; ++i) {
    const AngularBlock& block = e.angular[i];
    const std::size_t a = site.begin[block.species_a + 1] - site.begin[block.species_a];
    const std::size_t b = site.begin[block.species_b + 1] - site.begin[block.species_b];
    const std::size_t triplets = block.species_a == block.species_b ? a * (a ? a - 1 : 0) / 2 : a * b;
    count += triplets * block.vectors * plan_->kernel.width;
  }
  return count;
}

SiteView SiteBatch::prepare(Site& site, bool gradients) {
  const ElementView& e = plan_->elements[species_].view();
  sort_by_species(site);
  const int n = static_cast<int>(site.tags.size());
  const int padded = round_up(n, 8);
  const double far = 10.0 * plan_->potential.cutoff;  // padding neighbours: a finite distance, f_c = 0
  site.x.resize(padded, far), site.y.resize(padded, far), site.z.resize(padded, far);
  for (AlignedVector* a : {&site.r2, &site.inverse_r, &site.ux, &site.uy, &site.uz, &site.gx, &site.gy,
                           &site.gz, &site.ax, &site.ay, &site.az, &site.b, &site.radial})
    at_least(*a, padded);
  for (AlignedVector* a : {&site.fc, &site.dfc}) at_least(*a, static_cast<std::size_t>(padded) * e.n_cutoffs);
  for (AlignedVector* a : {&site.U, &site.D, &site.V}) at_least(*a, static_cast<std::size_t>(n) * e.row);
  for (AlignedVector* a : {&site.G, &site.weight}) at_least(*a, e.row);
  if (gradients) at_least(site.powers, power_count(site));
  return {n,
          plan_->n_species(),
          site.begin.data(),
          site.x.data(),
          site.y.data(),
          site.z.data(),
          site.r2.data(),
          site.inverse_r.data(),
          site.ux.data(),
          site.uy.data(),
          site.uz.data(),
          site.fc.data(),
          site.dfc.data(),
          padded,
          site.U.data(),
          site.D.data(),
          site.V.data(),
          site.powers.data(),
          site.G.data(),
          site.weight.data(),
          site.gx.data(),
          site.gy.data(),
          site.gz.data(),
          site.ax.data(),
          site.ay.data(),
          site.az.data(),
          site.b.data(),
          site.radial.data()};
}

Neighborhood SiteBatch::plain_neighborhood(const Site& site) const {
  Neighborhood neighborhood;
  for (std::size_t j = 0; j < site.tags.size(); ++j)
    neighborhood.vectors.push_back({site.x[j], site.y[j], site.z[j]});
  neighborhood.species = site.species;
  return neighborhood;
}

void SiteBatch::add_plain_descriptors(Site& site) {
  const ElementPlan& element = plan_->elements[species_];
  if (element.plain().empty()) return;
  const Neighborhood neighborhood = plain_neighborhood(site);
  for (const int k : element.plain())
    site.G[element.view().position[k]] = reference::evaluate_function(
        plan_->potential.elements[species_].functions[k], neighborhood, plan_->n_species());
}

void SiteBatch::evaluate_descriptors(bool for_gradients) {
  const ElementView& e = plan_->elements[species_].view();
  for (int i = 0; i < n_sites_; ++i) {
    views_[i] = prepare(sites_[i], for_gradients);
    plan_->kernel.descriptors(e, views_[i], for_gradients);
    add_plain_descriptors(sites_[i]);
  }
}

double SiteBatch::descriptor(int site, int k) const {
  const ElementView& e = plan_->elements[species_].view();
  return sites_[site].G[e.position[k]] * e.prefactor[k];
}

void SiteBatch::count_outside() {
  const ElementView& e = plan_->elements[species_].view();
  for (int i = 0; i < n_sites_; ++i) {
    bool outside = false;
    for (int k = 0; k < e.n_functions; ++k) {
      const double g = descriptor(i, k);
      if (g >= e.min[k] && g <= e.max[k]) continue;
      ++extrapolations_[species_][k];
      outside = true;
    }
    extrapolating_sites_ += outside;
  }
}

void SiteBatch::reset_extrapolations() {
  for (auto& counts : extrapolations_) std::fill(counts.begin(), counts.end(), 0L);
  extrapolating_sites_ = 0;
}

void SiteBatch::gradients_of(Site& site, SiteView& view) {
  const ElementPlan& element = plan_->elements[species_];
  plan_->kernel.gradients(element.view(), view);
  if (element.plain().empty()) return;
  const Neighborhood neighborhood = plain_neighborhood(site);
  std::vector<Vec3> g(view.n);
  for (const int k : element.plain())
    reference::evaluate_function(plan_->potential.elements[species_].functions[k], neighborhood,
                                 plan_->n_species(), site.weight[element.view().position[k]], g.data());
  for (int j = 0; j < view.n; ++j) site.gx[j] += g[j].x, site.gy[j] += g[j].y, site.gz[j] += g[j].z;
}

void SiteBatch::contract(int i, const double* weights) {
  const ElementView& e = plan_->elements[species_].view();
  std::fill_n(sites_[i].weight.begin(), e.row, 0.0);
  for (int k = 0; k < e.n_functions; ++k) sites_[i].weight[e.position[k]] = weights[k] * e.prefactor[k];
  gradients_of(sites_[i], views_[i]);
}

void SiteBatch::evaluate(bool gradients) {
  if (n_sites_ == 0) return;
  const ElementView& e = plan_->elements[species_].view();
  const int width = capacity();
  evaluate_descriptors(gradients);
  if (counting_) count_outside();
  for (int i = 0; i < n_sites_; ++i)
    for (int k = 0; k < e.n_functions; ++k)
      X_[k * width + i] = (sites_[i].G[e.position[k]] * e.prefactor[k] - e.mean[k]) * e.inverse_std[k];
  BatchView batch{X_.data(), dX_.data(), energies_.data(), scratch_.data()};
  plan_->kernel.network(e, batch, gradients);
  if (!gradients) return;
  for (int i = 0; i < n_sites_; ++i) {
    std::fill_n(sites_[i].weight.begin(), e.row, 0.0);
    for (int k = 0; k < e.n_functions; ++k)
      sites_[i].weight[e.position[k]] = dX_[k * width + i] * e.inverse_std[k] * e.prefactor[k];
    gradients_of(sites_[i], views_[i]);
  }
}

double SiteBatch::energy(int site) const {
  const int members = plan_->elements[species_].view().n_members;
  double total = 0.0;
  for (int m = 0; m < members; ++m) total += member_energy(site, m);
  return total / members;
}

}  // namespace alnn
