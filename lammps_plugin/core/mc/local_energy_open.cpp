// Particles that come and go.
#include <algorithm>
#include <utility>

#include "mc/local_energy.hpp"

namespace alnn {

double LocalEnergy::try_insert(const Vec3& position) {
  begin(Trial::insertion, static_cast<int>(now_.positions.size()));
  append(position);
  return try_at(moved_, position);
}

double LocalEnergy::try_remove(int i) {
  begin(Trial::removal, i);
  new_shell_.n = 0;
  for (int slot = 0; slot < now_.shells[i].n; ++slot) leave(i, slot);
  return energy_change() - now_.energies[i];
}

const std::vector<double>& LocalEnergy::trial_site_energies() {
  all_trial_energies_ = now_.energies;
  for (std::size_t a = 0; a < affected_.size(); ++a) all_trial_energies_[affected_[a]] = trial_energies_[a];
  if (trial_ == Trial::removal) {
    all_trial_energies_[moved_] = all_trial_energies_.back();
    all_trial_energies_.pop_back();
  }
  return all_trial_energies_;
}

// Room for one particle more, as yet without neighbours. All particles are looked at from now on: cells are
// for boxes of many, whose number does not change.
void LocalEnergy::append(const Vec3& position) {
  now_.cells = CellList();
  now_.positions.push_back(position);
  now_.shells.emplace_back();
  now_.energies.push_back(0.0);
  now_.G.resize(now_.G.size() + row_, 0.0);
  species_.push_back(inserted_species_);
  place_.push_back(-1);
  neighbors_.resize(now_.positions.size());
}

void LocalEnergy::drop_last() {
  now_.positions.pop_back();
  now_.shells.pop_back();
  now_.energies.pop_back();
  now_.G.resize(now_.G.size() - row_);
  species_.pop_back();
  place_.pop_back();
}

// Particle i, which nobody has as a neighbour any more, goes; the last particle takes its number.
void LocalEnergy::drop(int i) {
  const int last = static_cast<int>(now_.positions.size()) - 1;
  now_.cells = CellList();
  if (i != last) {
    const Shell& shell = now_.shells[last];
    for (int slot = 0; slot < shell.n; ++slot) {
      Shell& other = now_.shells[shell.id[slot]];
      other.id[other.find(last)] = i;
    }
    std::swap(now_.shells[i], now_.shells[last]);
    now_.positions[i] = now_.positions[last];
    now_.energies[i] = now_.energies[last];
    std::copy_n(descriptors(last), row_, descriptors(i));
    species_[i] = species_[last];
  }
  drop_last();
}

}  // namespace alnn
