#include "mc/local_repulsion.hpp"

#include <algorithm>
#include <functional>

namespace alnn {

LocalRepulsion::LocalRepulsion(std::unique_ptr<LocalModel> networks, Repulsion repulsion,
                               const std::vector<Vec3>& positions, std::vector<int> species, const Box& box)
    : networks_(std::move(networks)),
      repulsion_(std::move(repulsion)),
      reach_(repulsion_.reach()),
      species_(std::move(species)) {
  configure(now_, box, positions);
  evaluate(now_);
}

void LocalRepulsion::configure(State& state, const Box& box, const std::vector<Vec3>& positions) {
  static_cast<Surroundings&>(state) = Surroundings(box, positions, reach_);
  near_.resize(positions.size() + 1);  // one may come
}

double LocalRepulsion::evaluate(State& state) {
  const int n = static_cast<int>(state.positions.size());
  state.energies.assign(n, 0.0);
  double total = 0.0;
  for (int i = 0; i < n; ++i) {
    const int count = state.find(i, state.positions[i], reach_ * reach_, near_.data());
    for (int k = 0; k < count; ++k)
      state.energies[i] += 0.5 * repulsion_.energy(species_[i], species_[near_[k].particle], near_[k].r2);
    total += state.energies[i];
  }
  return total;
}

double LocalRepulsion::recompute() { return networks_->recompute() + evaluate(now_); }

double LocalRepulsion::try_volume(const Box& box, const std::vector<Vec3>& positions) {
  trial_ = Trial::volume;
  configure(other_, box, positions);
  return networks_->try_volume(box, positions) + evaluate(other_);
}

// The halves of i's pairs at `position` come to its neighbours there, or go from them; i's own are added up.
void LocalRepulsion::change_others(int i, const Vec3& position, double sign) {
  moved_energy_ = 0.0;
  const int count = now_.find(i, position, reach_ * reach_, near_.data());
  for (int k = 0; k < count; ++k) {
    const int j = near_[k].particle;
    const double half = 0.5 * repulsion_.energy(species_[i], species_[j], near_[k].r2);
    changes_.emplace_back(j, sign * half);
    moved_energy_ += half;
  }
}

// i leaves its pairs, unless it is new, for those at the new position, unless it goes for good.
double LocalRepulsion::changed(Trial trial, int i) {
  trial_ = trial;
  moved_ = i;
  changes_.clear();
  if (trial != Trial::insertion) change_others(i, now_.positions[i], -1.0);
  const double before = trial == Trial::insertion ? 0.0 : now_.energies[i];
  moved_energy_ = 0.0;
  if (trial != Trial::removal) change_others(i, new_position_, 1.0);
  double change = moved_energy_ - before;
  for (const auto& [j, difference] : changes_) change += difference;
  return change;
}

double LocalRepulsion::try_move(int i, const Vec3& new_position) {
  new_position_ = new_position;
  return networks_->try_move(i, new_position) + changed(Trial::move, i);
}

double LocalRepulsion::try_insert(const Vec3& position) {
  new_position_ = position;
  const std::size_t i = now_.positions.size();
  species_.resize(i);
  species_.push_back(species_.empty() ? 0 : species_[0]);  // all are of one species
  return networks_->try_insert(position) + changed(Trial::insertion, static_cast<int>(i));
}

double LocalRepulsion::try_remove(int i) { return networks_->try_remove(i) + changed(Trial::removal, i); }

void LocalRepulsion::apply_changes(std::vector<double>& energies) const {
  for (const auto& [j, difference] : changes_) energies[j] += difference;
  if (trial_ == Trial::insertion) {
    energies.push_back(moved_energy_);
  } else if (trial_ == Trial::removal) {
    energies[moved_] = energies.back();
    energies.pop_back();
  } else {
    energies[moved_] = moved_energy_;
  }
}

void LocalRepulsion::accept() {
  networks_->accept();
  if (trial_ == Trial::volume) return std::swap(now_, other_);
  apply_changes(now_.energies);
  if (trial_ == Trial::move) {
    now_.positions[moved_] = new_position_;
    if (!now_.cells.empty()) now_.cells.move(moved_, new_position_);
    return;
  }
  now_.cells = CellList();  // cells are for boxes of many, whose number does not change
  if (trial_ == Trial::insertion) {
    now_.positions.push_back(new_position_);
    near_.resize(now_.positions.size() + 1);
    return;
  }
  now_.positions[moved_] = now_.positions.back();
  now_.positions.pop_back();
  species_[moved_] = species_[now_.positions.size()];
}

const std::vector<double>& LocalRepulsion::added(const std::vector<double>& networks,
                                                 const std::vector<double>& own) {
  sums_.resize(own.size());
  std::transform(own.begin(), own.end(), networks.begin(), sums_.begin(), std::plus<double>());
  return sums_;
}

const std::vector<double>& LocalRepulsion::site_energies() {
  return added(networks_->site_energies(), now_.energies);
}

const std::vector<double>& LocalRepulsion::trial_site_energies() {
  std::vector<double> own = now_.energies;
  apply_changes(own);
  return added(networks_->trial_site_energies(), own);
}

}  // namespace alnn
