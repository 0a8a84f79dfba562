#include "mc/local_moments.hpp"

#include <algorithm>
#include <utility>

namespace alnn {

namespace {

constexpr int max_width = 8;  // of a vector

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
  std::size_t functions = 0, variables = 0, rows = 0, scratch = 0;
  for (const auto& plan_of : plan_->elements) {
    const ElementView& e = plan_of.view();
    n_moments_ = std::max(n_moments_, e.always.n_moments + e.crowded.n_moments);
    functions = std::max<std::size_t>(functions, e.n_functions);
    variables = std::max<std::size_t>(variables, e.n_variables);
    rows = std::max<std::size_t>(rows, e.n_moment_rows);
    scratch = std::max<std::size_t>(scratch, network_scratch(e, plan_->kernel.width));
  }
  variables_.assign(variables * width, 0.0);
  X_.assign(functions * width, 0.0);
  network_energies_.assign(plan_->potential.n_members() * width, 0.0);
  scratch_.assign(scratch, 0.0);
  lanes_.assign(6 * width, 0.0);
  radial_.assign(rows * width, 0.0);
  moved_energy_.assign(1, 0.0);
  moved_moments_.assign(n_moments_, 0.0);
  resize(positions.size());
  static_cast<Surroundings&>(now_) = Surroundings(box, positions, cutoff);
  recompute();
}

void LocalMoments::resize(std::size_t n) {
  place_.resize(n, -1);
  near_.resize(n);
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
  state.moments.assign(n * n_moments_, 0.0);
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
void LocalMoments::take_moments(int lane, const ElementView& e, double* moments) const {
  for (const MomentView* view : {&e.always, &e.crowded})
    for (int v = 0; v < view->n_moments; ++v) *moments++ = batch_.variable(lane, view->first_variable + v);
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

// ---- one particle ------------------------------------------------------------------------------------

void LocalMoments::begin(Trial trial, int i) {
  for (const Change& change : changes_) place_[change.site] = -1;
  changes_.clear();
  trial_ = trial;
  moved_ = i;
}

LocalMoments::Change& LocalMoments::change_of(int site) {
  if (place_[site] < 0) {
    place_[site] = static_cast<int>(changes_.size());
    changes_.push_back({site, far_, far_, 0});
  }
  return changes_[place_[site]];
}

void LocalMoments::leave(int i) {
  const int n = now_.find(i, now_.positions[i], radius_squared_, near_.data());
  for (int k = 0; k < n; ++k) change_of(near_[k].particle).from = -1.0 * near_[k].difference;
}

// The moved particle's own site from scratch.
void LocalMoments::enter(int i, const Vec3& position) {
  new_position_ = position;
  const int n = now_.find(i, position, radius_squared_, near_.data());
  batch_.start(species_[i]);
  batch_.add_site();
  for (int k = 0; k < n; ++k) {
    const Vec3& d = near_[k].difference;
    change_of(near_[k].particle).to = -1.0 * d;
    batch_.add_neighbor(d.x, d.y, d.z, species_[near_[k].particle], 0);
  }
  batch_.evaluate(false);
  moved_energy_[0] = batch_.energy(0);
  take_moments(0, element(i), moved_moments_.data());
}

double LocalMoments::try_move(int i, const Vec3& new_position) {
  begin(Trial::move, i);
  leave(i);
  enter(i, new_position);
  return energy_change(true) - now_.energies[i];
}

double LocalMoments::try_insert(const Vec3& position) {
  const int i = static_cast<int>(now_.positions.size());
  begin(Trial::insertion, i);
  now_.cells = CellList();  // cells are for boxes of many, whose number does not change
  now_.positions.push_back(position);
  now_.energies.push_back(0.0);
  now_.moments.resize(now_.moments.size() + n_moments_, 0.0);
  species_.push_back(inserted_species_);
  resize(now_.positions.size());
  enter(i, position);
  return energy_change(true);
}

double LocalMoments::try_remove(int i) {
  begin(Trial::removal, i);
  leave(i);
  return energy_change(false) - now_.energies[i];
}

double LocalMoments::energy_change(bool with_moved) {
  trial_energies_.resize(changes_.size());
  const std::size_t width = plan_->kernel.width;
  const std::size_t needed = (changes_.size() + width * plan_->n_species()) * n_moments_;
  if (trial_moments_.size() < needed) trial_moments_.resize(2 * needed, 0.0);
  trials_used_ = 0;
  for (int s = 0; s < plan_->n_species(); ++s) update_sites(s);
  double change = with_moved ? moved_energy_[0] : 0.0;
  for (std::size_t c = 0; c < changes_.size(); ++c)
    change += trial_energies_[c] - now_.energies[changes_[c].site];
  return change;
}

void LocalMoments::update_sites(int species) {
  const ElementView& e = plan_->elements[species].view();
  std::vector<int> lanes;
  for (std::size_t c = 0; c < changes_.size(); ++c) {
    if (species_[changes_[c].site] == species) lanes.push_back(static_cast<int>(c));
    if (lanes.empty() || static_cast<int>(lanes.size()) < plan_->kernel.width) continue;
    update_lanes(e, lanes);
    lanes.clear();
  }
  if (!lanes.empty()) update_lanes(e, lanes);
}

// Trial energies of up to a vector's width of changes, all of sites of one species. Their trial moments stay
// as they come from the kernel, lane by lane: not every trial is accepted.
void LocalMoments::update_lanes(const ElementView& e, const std::vector<int>& lanes) {
  const Kernel& kernel = plan_->kernel;
  const int width = kernel.width, n = static_cast<int>(lanes.size());
  double* vectors[6];
  for (int x = 0; x < 6; ++x) vectors[x] = &lanes_[x * width];
  const double* present[max_width];
  for (int lane = 0; lane < width; ++lane) {
    Change& change = changes_[lanes[std::min(lane, n - 1)]];
    vectors[0][lane] = change.from.x, vectors[1][lane] = change.from.y, vectors[2][lane] = change.from.z;
    vectors[3][lane] = change.to.x, vectors[4][lane] = change.to.y, vectors[5][lane] = change.to.z;
    present[lane] = moments(now_, change.site);
    change.trial = trials_used_ + std::min(lane, n - 1);
  }
  for (const MomentView* view : {&e.always, &e.crowded}) {
    double* first = &variables_[static_cast<std::size_t>(view->first_variable) * width];
    const LaneNeighbors from{species_[moved_], vectors[0], vectors[1], vectors[2]};
    const LaneNeighbors to{species_[moved_], vectors[3], vectors[4], vectors[5]};
    kernel.gather(present, view->n_moments, first);
    kernel.shift_moments(e, *view, from, -1.0, radial_.data(), variables_.data());
    kernel.shift_moments(e, *view, to, 1.0, radial_.data(), variables_.data());
    std::copy_n(first, view->n_moments * width, &trial_moments_[trials_used_]);
    trials_used_ += static_cast<std::size_t>(view->n_moments) * width;
    kernel.invariants(*view, variables_.data());
    for (int lane = 0; lane < width; ++lane) present[lane] += view->n_moments;
  }
  for (int k = 0; k < e.n_functions; ++k)
    for (int lane = 0; lane < width; ++lane)
      X_[k * width + lane] = (variables_[e.variable[k] * width + lane] - e.mean[k]) * e.inverse_std[k];
  BatchView batch{X_.data(), nullptr, network_energies_.data(), scratch_.data()};
  kernel.network(e, batch, false);
  for (int lane = 0; lane < n; ++lane) {
    double total = 0.0;
    for (int m = 0; m < e.n_members; ++m) total += network_energies_[m * width + lane];
    trial_energies_[lanes[lane]] = total / e.n_members;
  }
}

const std::vector<double>& LocalMoments::trial_site_energies() {
  all_trial_energies_ = now_.energies;
  for (std::size_t c = 0; c < changes_.size(); ++c)
    all_trial_energies_[changes_[c].site] = trial_energies_[c];
  if (trial_ == Trial::removal) {
    all_trial_energies_[moved_] = all_trial_energies_.back();
    all_trial_energies_.pop_back();
  } else {
    all_trial_energies_[moved_] = moved_energy_[0];
  }
  return all_trial_energies_;
}

// ---- and its end -------------------------------------------------------------------------------------

void LocalMoments::accept() {
  if (trial_ == Trial::volume) return std::swap(now_, other_);
  for (std::size_t c = 0; c < changes_.size(); ++c) {
    const ElementView& e = element(changes_[c].site);
    double* m = moments(now_, changes_[c].site);
    const double* trial = &trial_moments_[changes_[c].trial];
    for (int v = 0; v < e.always.n_moments + e.crowded.n_moments; ++v) m[v] = trial[v * plan_->kernel.width];
    now_.energies[changes_[c].site] = trial_energies_[c];
  }
  if (trial_ != Trial::removal) {
    std::copy_n(moved_moments_.data(), n_moments_, moments(now_, moved_));
    now_.energies[moved_] = moved_energy_[0];
    now_.positions[moved_] = new_position_;
    if (!now_.cells.empty()) now_.cells.move(moved_, new_position_);
    return;
  }
  const int i = moved_, last = static_cast<int>(now_.positions.size()) - 1;
  begin(Trial::move, i);  // before the numbers change
  now_.cells = CellList();
  now_.positions[i] = now_.positions[last], now_.energies[i] = now_.energies[last];
  species_[i] = species_[last];
  std::copy_n(moments(now_, last), n_moments_, moments(now_, i));
  now_.positions.pop_back(), now_.energies.pop_back(), species_.pop_back(), place_.pop_back();
  now_.moments.resize(now_.moments.size() - n_moments_);
}

void LocalMoments::reject() {
  if (trial_ != Trial::insertion) return;
  begin(Trial::move, moved_);
  now_.positions.pop_back(), now_.energies.pop_back(), species_.pop_back(), place_.pop_back();
  now_.moments.resize(now_.moments.size() - n_moments_);
}

}  // namespace alnn
