// One particle that moves, comes or goes, and the sites near it.
#include <algorithm>
#include <utility>

#include "mc/local_moments.hpp"

namespace alnn {

void LocalMoments::begin(Trial trial, int i) {
  for (const Change& change : changes_) place_[change.site] = -1;
  changes_.clear();
  trial_ = trial;
  moved_ = i;
}

LocalMoments::Change& LocalMoments::change_of(int site) {
  if (place_[site] < 0) {
    place_[site] = static_cast<int>(changes_.size());
    changes_.push_back({site, far_, far_});
  }
  return changes_[place_[site]];
}

void LocalMoments::leave(int i) {
  const int n = now_.find(i, now_.positions[i], radius_squared_, near_.data());
  for (int k = 0; k < n; ++k) change_of(near_[k].particle).from = -1.0 * near_[k].difference;
}

// With one species alone the moved particle's own moments follow from what its neighbours gain; with more
// they are made from scratch.
void LocalMoments::enter(int i, const Vec3& position) {
  new_position_ = position;
  const int n = now_.find(i, position, radius_squared_, near_.data());
  for (int k = 0; k < n; ++k) change_of(near_[k].particle).to = -1.0 * near_[k].difference;
  if (plan_->n_species() == 1) return;
  batch_.start(species_[i]);
  batch_.add_site();
  for (int k = 0; k < n; ++k) {
    const Vec3& d = near_[k].difference;
    batch_.add_neighbor(d.x, d.y, d.z, species_[near_[k].particle], 0);
  }
  batch_.evaluate_descriptors(false);
  take_moments(0, element(i), moved_row_.data());
}

double LocalMoments::try_move(int i, const Vec3& new_position) {
  begin(Trial::move, i);
  leave(i);
  enter(i, new_position);
  return energy_change(true) - now_.energies[i];
}

double LocalMoments::try_insert(const Vec3& position) {
  begin(Trial::insertion, static_cast<int>(now_.positions.size()));
  append(position);
  enter(moved_, position);
  return energy_change(true);
}

double LocalMoments::try_remove(int i) {
  begin(Trial::removal, i);
  leave(i);
  return energy_change(false) - now_.energies[i];
}

// ---- trial energies ------------------------------------------------------------------------------------

// Changed sites by species, and the moved particle behind those of its own.
void LocalMoments::make_batches(bool with_moved) {
  const int width = plan_->kernel.width;
  trial_sites_.clear(), batches_.clear();
  for (int s = 0; s < plan_->n_species(); ++s) {
    int first = static_cast<int>(trial_sites_.size());
    for (const Change& change : changes_)
      if (species_[change.site] == s) trial_sites_.push_back(change.site);
    if (with_moved && species_[moved_] == s) trial_sites_.push_back(moved_);
    for (const int end = static_cast<int>(trial_sites_.size()); first < end; first += width)
      batches_.push_back({s, std::min(width, end - first), first});
  }
  trial_energies_.resize(trial_sites_.size());
  const std::size_t needed = batches_.size() * n_variables_ * width;
  if (variables_.size() < needed) variables_.resize(2 * needed, 0.0);
}

double LocalMoments::energy_change(bool with_moved) {
  make_batches(with_moved);
  const ElementView& e = element(moved_);
  std::fill_n(gained_.begin(), (e.crowded.first_variable + e.crowded.n_moments) * plan_->kernel.width, 0.0);
  for (std::size_t b = 0; b < batches_.size(); ++b) update(batches_[b], variables(b));
  if (with_moved && plan_->n_species() == 1) {
    double* lane = variables(batches_.size() - 1) + batches_.back().n - 1;  // the last of all
    for (const MomentView* view : {&e.always, &e.crowded})
      plan_->kernel.own_moments(*view, gained_.data(), lane);
  }
  double change = 0.0;
  for (std::size_t b = 0; b < batches_.size(); ++b) evaluate(batches_[b], variables(b));
  for (std::size_t k = 0; k < trial_sites_.size(); ++k)
    change += trial_energies_[k] - (trial_sites_[k] == moved_ ? 0.0 : now_.energies[trial_sites_[k]]);
  return change;
}

// Moments of a batch after the move.
void LocalMoments::update(const Batch& batch, double* variables) {
  const ElementView& e = plan_->elements[batch.species].view();
  const Kernel& kernel = plan_->kernel;
  const int width = kernel.width;
  const double* rows[max_width];
  for (int lane = 0; lane < width; ++lane) {
    const int site = trial_sites_[batch.first + std::min(lane, batch.n - 1)];
    const bool changes = lane < batch.n && site != moved_;
    const Vec3 from = changes ? changes_[place_[site]].from : far_,
               to = changes ? changes_[place_[site]].to : far_;
    double* v = &vectors_[lane];
    v[0] = from.x, v[width] = from.y, v[2 * width] = from.z;
    v[3 * width] = to.x, v[4 * width] = to.y, v[5 * width] = to.z;
    rows[lane] = site == moved_ ? moved_row_.data() : moments(now_, site);
  }
  const LaneMove move{species_[moved_], vectors_.data(), vectors_.data() + 3 * width};
  double* gained = plan_->n_species() == 1 ? gained_.data() : nullptr;
  for (const MomentView* view : {&e.always, &e.crowded}) {
    kernel.take_rows(*view, rows, variables);
    kernel.move_neighbor(e, *view, move, radial_.data(), variables, gained);
    for (int lane = 0; lane < width; ++lane) rows[lane] += padded_moments(*view);
  }
}

void LocalMoments::evaluate(const Batch& batch, double* variables) {
  const ElementView& e = plan_->elements[batch.species].view();
  const Kernel& kernel = plan_->kernel;
  kernel.invariants(e.always, variables);
  kernel.invariants(e.crowded, variables);
  kernel.scale(e, variables, X_.data());
  BatchView networks{X_.data(), nullptr, network_energies_.data(), scratch_.data()};
  kernel.network(e, networks, false);
  for (int lane = 0; lane < batch.n; ++lane) {
    double total = 0.0;
    for (int m = 0; m < e.n_members; ++m) total += network_energies_[m * kernel.width + lane];
    trial_energies_[batch.first + lane] = total / e.n_members;
  }
}

const std::vector<double>& LocalMoments::trial_site_energies() {
  all_trial_energies_ = now_.energies;
  for (std::size_t k = 0; k < trial_sites_.size(); ++k)
    all_trial_energies_[trial_sites_[k]] = trial_energies_[k];
  if (trial_ == Trial::removal) {
    all_trial_energies_[moved_] = all_trial_energies_.back();
    all_trial_energies_.pop_back();
  }
  return all_trial_energies_;
}

// ---- and their end -------------------------------------------------------------------------------------

void LocalMoments::accept() {
  if (trial_ == Trial::volume) return std::swap(now_, other_);
  const int width = plan_->kernel.width;
  for (std::size_t b = 0; b < batches_.size(); ++b) {
    const Batch& batch = batches_[b];
    const ElementView& e = plan_->elements[batch.species].view();
    double* rows[max_width];
    for (int lane = 0; lane < width; ++lane)
      rows[lane] = lane < batch.n ? moments(now_, trial_sites_[batch.first + lane]) : spare_row_.data();
    for (const MomentView* view : {&e.always, &e.crowded}) {
      plan_->kernel.give_rows(*view, variables(b), rows);
      for (double*& row : rows) row += padded_moments(*view);
    }
  }
  for (std::size_t k = 0; k < trial_sites_.size(); ++k) now_.energies[trial_sites_[k]] = trial_energies_[k];
  if (trial_ == Trial::removal) {
    begin(Trial::move, moved_);  // before the numbers change
    return drop(moved_);
  }
  now_.positions[moved_] = new_position_;
  if (!now_.cells.empty()) now_.cells.move(moved_, new_position_);
}

void LocalMoments::reject() {
  if (trial_ != Trial::insertion) return;
  begin(Trial::move, moved_);
  drop_last();
}

// Room for one particle more. All particles are looked at from now on: cells are for boxes of many, whose
// number does not change.
void LocalMoments::append(const Vec3& position) {
  now_.cells = CellList();
  now_.positions.push_back(position);
  now_.energies.push_back(0.0);
  now_.moments.resize(now_.moments.size() + row_, 0.0);
  species_.push_back(inserted_species_);
  place_.push_back(-1);
  near_.resize(now_.positions.size());
}

void LocalMoments::drop_last() {
  now_.positions.pop_back(), now_.energies.pop_back(), species_.pop_back(), place_.pop_back();
  now_.moments.resize(now_.moments.size() - row_);
}

// The last particle takes the number of particle i.
void LocalMoments::drop(int i) {
  const int last = static_cast<int>(now_.positions.size()) - 1;
  now_.cells = CellList();
  now_.positions[i] = now_.positions[last], now_.energies[i] = now_.energies[last];
  species_[i] = species_[last];
  std::copy_n(moments(now_, last), row_, moments(now_, i));
  drop_last();
}

}  // namespace alnn
