#include "mc/local_moments.hpp"

#include <algorithm>
#include <utility>

namespace alnn {

namespace {

// Sites take all functions from moments, however few their neighbours.
std::shared_ptr<const Plan> by_moments(const Plan& plan) {
  return std::make_shared<const Plan>(plan.potential, plan.kernel, 0);
}

}  // namespace

bool LocalMoments::serves(const Plan& plan) {
  for (const auto& plan_of : plan.elements) {
    const ElementView& e = plan_of.view();
    if (std::any_of(e.variable, e.variable + e.n_functions, [](int v) { return v < 0; })) return false;
  }
  return true;
}

LocalMoments::LocalMoments(const std::shared_ptr<const Plan>& plan, const std::vector<Vec3>& positions,
                           std::vector<int> species, const Box& box)
    : plan_(by_moments(*plan)),
      batch_(plan_),
      species_(std::move(species)),
      inserted_species_(species_.empty() ? 0 : species_[0]) {
  const double cutoff = plan_->potential.cutoff;
  radius_squared_ = cutoff * cutoff;
  far_ = {10.0 * cutoff, 0.0, 0.0};
  const std::size_t width = plan_->kernel.width;
  std::size_t functions = 0, rows = 0, scratch = 0;
  for (const auto& plan_of : plan_->elements) {
    const ElementView& e = plan_of.view();
    row_ = std::max(row_, padded_moments(e.always) + padded_moments(e.crowded));
    functions = std::max<std::size_t>(functions, e.n_functions);
    n_variables_ = std::max<std::size_t>(n_variables_, e.n_variables);
    rows = std::max<std::size_t>(rows, e.n_moment_rows);
    scratch = std::max<std::size_t>(scratch, network_scratch(e, plan_->kernel.width));
  }
  n_variables_ += width;  // rows are taken in whole vectors
  gained_.assign(n_variables_ * width, 0.0);
  X_.assign(functions * width, 0.0);
  network_energies_.assign(plan_->potential.n_members() * width, 0.0);
  scratch_.assign(scratch, 0.0);
  vectors_.assign(6 * width, 0.0);
  radial_.assign(2 * rows * width, 0.0);
  for (AlignedVector* row : {&moved_row_, &spare_row_}) row->assign(row_, 0.0);
  place_.resize(positions.size(), -1);
  near_.resize(positions.size());
  static_cast<Surroundings&>(now_) = Surroundings(box, positions, cutoff);
  recompute();
}

// ---- from scratch ------------------------------------------------------------------------------------

double LocalMoments::recompute() { return evaluate(now_); }

// Gathers all sites into batches of one species; visit(sites of a batch).
template <class Visit>
void LocalMoments::each_batch(const State& state, SiteBatch& batch, const Visit& visit) const {
  const int n = static_cast<int>(state.positions.size());
  std::vector<NearParticle> near(n);
  std::vector<int> sites;
  const auto flush = [&] {
    if (!sites.empty()) visit(sites);
    sites.clear();
  };
  for (int s = 0; s < plan_->n_species(); ++s) {
    for (int i = 0; i < n; ++i) {
      if (species_[i] != s) continue;
      if (sites.empty()) batch.start(s);
      batch.add_site();
      sites.push_back(i);
      const int count = state.find(i, state.positions[i], radius_squared_, near.data());
      for (int k = 0; k < count; ++k) {
        const Vec3& d = near[k].difference;
        batch.add_neighbor(d.x, d.y, d.z, species_[near[k].particle], 0);
      }
      if (batch.full()) flush();
    }
    flush();
  }
}

double LocalMoments::evaluate(State& state) {
  const std::size_t n = state.positions.size();
  state.moments.assign(n * row_, 0.0);
  state.energies.assign(n, 0.0);
  each_batch(state, batch_, [&](const std::vector<int>& sites) {
    batch_.evaluate(false);
    for (std::size_t lane = 0; lane < sites.size(); ++lane) {
      state.energies[sites[lane]] = batch_.energy(static_cast<int>(lane));
      take_moments(static_cast<int>(lane), element(sites[lane]), moments(state, sites[lane]));
    }
  });
  double total = 0.0;
  for (const double e : state.energies) total += e;
  return total;
}

// Those of a site that was evaluated.
void LocalMoments::take_moments(int lane, const ElementView& e, double* row) const {
  for (const MomentView* view : {&e.always, &e.crowded}) {
    for (int v = 0; v < view->n_moments; ++v) row[v] = batch_.variable(lane, view->first_variable + v);
    row += padded_moments(*view);
  }
}

int LocalMoments::extrapolating_sites() const {
  SiteBatch batch(plan_);
  int outside = 0;
  each_batch(now_, batch, [&](const std::vector<int>& sites) {
    batch.evaluate_descriptors(false);
    const ElementView& e = element(sites[0]);
    for (std::size_t lane = 0; lane < sites.size(); ++lane) {
      int k = 0;
      while (k < e.n_functions && !is_outside(e, k, batch.descriptor(static_cast<int>(lane), k))) ++k;
      outside += k < e.n_functions;
    }
  });
  return outside;
}

double LocalMoments::try_volume(const Box& box, const std::vector<Vec3>& positions) {
  trial_ = Trial::volume;
  static_cast<Surroundings&>(other_) = Surroundings(box, positions, plan_->potential.cutoff);
  return evaluate(other_);
}

}  // namespace alnn
