#include "mc/local_energy.hpp"

#include <algorithm>
#include <utility>

namespace alnn {

void LocalEnergy::Shell::reserve(int capacity, int row) {
  if (static_cast<int>(id.size()) >= capacity) return;
  const int size = round_up(2 * capacity, 8);
  id.resize(size), species.resize(size);
  ux.resize(size), uy.resize(size), uz.resize(size);
  rows.resize(static_cast<std::size_t>(size) * row, 0.0);
}

int LocalEnergy::Shell::find(int particle) const {
  for (int slot = 0; slot < n; ++slot)
    if (id[slot] == particle) return slot;
  return -1;
}

void LocalEnergy::Shell::set(int slot, int particle, int kind, const Vec3& unit, const double* new_row,
                             int row) {
  id[slot] = particle, species[slot] = kind;
  ux[slot] = unit.x, uy[slot] = unit.y, uz[slot] = unit.z;
  std::copy(new_row, new_row + row, &rows[static_cast<std::size_t>(slot) * row]);
}

void LocalEnergy::Shell::remove(int slot, int row) {
  --n;
  if (slot != n)
    set(slot, id[n], species[n], {ux[n], uy[n], uz[n]}, &rows[static_cast<std::size_t>(n) * row], row);
}

std::string LocalEnergy::why_not(const Plan& plan, const Box& box) {
  for (const auto& element : plan.elements)
    if (!element.plain().empty() || element.view().n_triplets > 0 || element.view().n_compact > 0 ||
        element.view().always.n_blocks > 0)
      return "descriptors other than G2, G5 of integer zeta, Chebyshev functions of low order and moments";
  if (box.any_periodic() && box.smallest_face_distance() < 2.0 * plan.potential.cutoff)
    return "a periodic box narrower than twice the cutoff";
  return "";
}

LocalEnergy::LocalEnergy(std::shared_ptr<const Plan> plan, std::vector<Vec3> positions,
                         std::vector<int> species, const Box& box)
    : plan_(std::move(plan)),
      species_(std::move(species)),
      inserted_species_(species_.empty() ? 0 : species_[0]) {
  cutoff_squared_ = plan_->potential.cutoff * plan_->potential.cutoff;
  const int width = plan_->kernel.width;
  std::size_t functions = 0, scratch = 0;
  for (const auto& e : plan_->elements) {
    row_ = std::max(row_, e.view().row);
    functions = std::max<std::size_t>(functions, e.view().n_functions);
    scratch = std::max<std::size_t>(scratch, network_scratch(e.view(), width));
  }
  X_.assign(functions * width, 0.0);
  network_energies_.assign(static_cast<std::size_t>(plan_->potential.n_members()) * width, 0.0);
  scratch_.assign(scratch, 0.0);
  place_.assign(positions.size(), -1);
  neighbors_.resize(positions.size());
  configure(now_, box, positions);
  recompute();
}

void LocalEnergy::configure(State& state, const Box& box, const std::vector<Vec3>& positions) const {
  static_cast<Surroundings&>(state) = Surroundings(box, positions, plan_->potential.cutoff);
}

void LocalEnergy::collect_shell(const State& state, int i, const Vec3& position, Shell& shell) {
  shell.n = state.find(i, position, cutoff_squared_, neighbors_.data());
  shell.reserve(shell.n, row_);
  for (int slot = 0; slot < shell.n; ++slot) {
    const auto& [j, d, r2] = neighbors_[slot];
    const double inverse_r = 1.0 / std::sqrt(r2);
    shell.id[slot] = j, shell.species[slot] = species_[j];
    shell.ux[slot] = d.x * inverse_r, shell.uy[slot] = d.y * inverse_r, shell.uz[slot] = d.z * inverse_r;
    plan_->kernel.pair_row(element(i), species_[j], r2, &shell.rows[static_cast<std::size_t>(slot) * row_]);
  }
}

// Each neighbour together with those before it: every pair once.
void LocalEnergy::sum_shell(const ElementView& e, const Shell& shell, double* G) const {
  std::fill_n(G, row_, 0.0);
  ShellView before = shell.view(row_);
  for (int slot = 0; slot < shell.n; ++slot) {
    before.n = slot;
    const double unit[3] = {shell.ux[slot], shell.uy[slot], shell.uz[slot]};
    plan_->kernel.add_neighbor(e, shell.species[slot], unit,
                               &shell.rows[static_cast<std::size_t>(slot) * row_], before, 1.0, G);
  }
}

// Site energies of sites of any species from descriptors that stand row by row in G.
void LocalEnergy::site_energies(const std::vector<int>& sites, const double* G,
                                std::vector<double>& energies) {
  const int width = plan_->kernel.width, members = plan_->potential.n_members();
  energies.resize(sites.size());
  std::size_t lane_of[64];
  for (int s = 0; s < plan_->n_species(); ++s) {
    const ElementView& e = plan_->elements[s].view();
    int lanes = 0;
    const auto flush = [&] {
      if (lanes == 0) return;
      BatchView batch{X_.data(), nullptr, network_energies_.data(), scratch_.data()};
      plan_->kernel.network(e, batch, false);
      for (int lane = 0; lane < lanes; ++lane) {
        double total = 0.0;
        for (int m = 0; m < members; ++m) total += network_energies_[m * width + lane];
        energies[lane_of[lane]] = total / members;
      }
      lanes = 0;
    };
    for (std::size_t a = 0; a < sites.size(); ++a) {
      if (species_[sites[a]] != s) continue;
      const double* g = G + a * row_;
      for (int k = 0; k < e.n_functions; ++k)
        X_[k * width + lanes] = (g[e.position[k]] * e.prefactor[k] - e.mean[k]) * e.inverse_std[k];
      lane_of[lanes++] = a;
      if (lanes == width) flush();
    }
    flush();
  }
}

double LocalEnergy::evaluate(State& state) {
  const int n = static_cast<int>(state.positions.size());
  state.shells.resize(n);
  state.G.assign(static_cast<std::size_t>(n) * row_, 0.0);
  std::vector<int> all(n);
  for (int i = 0; i < n; ++i) {
    all[i] = i;
    collect_shell(state, i, state.positions[i], state.shells[i]);
    sum_shell(element(i), state.shells[i], &state.G[static_cast<std::size_t>(i) * row_]);
  }
  site_energies(all, state.G.data(), state.energies);
  double total = 0.0;
  for (const double e : state.energies) total += e;
  return total;
}

double LocalEnergy::recompute() { return evaluate(now_); }

double LocalEnergy::try_volume(const Box& box, const std::vector<Vec3>& positions) {
  trial_ = Trial::volume;
  configure(other_, box, positions);
  return evaluate(other_);
}

int LocalEnergy::extrapolating_sites() const {
  int sites = 0;
  for (std::size_t i = 0; i < now_.positions.size(); ++i) {
    const ElementView& e = element(static_cast<int>(i));
    const double* G = &now_.G[i * row_];
    bool outside = false;
    for (int k = 0; k < e.n_functions && !outside; ++k)
      outside = is_outside(e, k, G[e.position[k]] * e.prefactor[k]);
    sites += outside;
  }
  return sites;
}

// Descriptors of an affected site, first a copy of the present ones.
double* LocalEnergy::trial_descriptors(int j) {
  if (place_[j] < 0) {
    place_[j] = static_cast<int>(affected_.size());
    affected_.push_back(j);
    if (trial_G_.size() < affected_.size() * row_) trial_G_.resize(2 * affected_.size() * row_, 0.0);
    std::copy(descriptors(j), descriptors(j) + row_, &trial_G_[static_cast<std::size_t>(place_[j]) * row_]);
  }
  return &trial_G_[static_cast<std::size_t>(place_[j]) * row_];
}

// The old neighbour in this slot of i's shell loses i.
void LocalEnergy::leave(int i, int slot) {
  const int j = now_.shells[i].id[slot];
  Shell& shell = now_.shells[j];
  const int mine = shell.find(i);
  const double unit[3] = {shell.ux[mine], shell.uy[mine], shell.uz[mine]};
  shell.species[mine] = -1;  // not its own partner
  plan_->kernel.add_neighbor(element(j), species_[i], unit,
                             &shell.rows[static_cast<std::size_t>(mine) * row_], shell.view(row_), -1.0,
                             trial_descriptors(j));
  shell.species[mine] = species_[i];
}

// The new neighbour in this slot of the new shell gains i.
void LocalEnergy::enter(int i, int slot) {
  const int j = new_shell_.id[slot];
  Shell& shell = now_.shells[j];
  const int mine = shell.find(i);
  const double unit[3] = {-new_shell_.ux[slot], -new_shell_.uy[slot], -new_shell_.uz[slot]};
  if (mine >= 0) shell.species[mine] = -1;
  plan_->kernel.add_neighbor(element(j), species_[i], unit,
                             &back_rows_[static_cast<std::size_t>(slot) * row_], shell.view(row_), 1.0,
                             trial_descriptors(j));
  if (mine >= 0) shell.species[mine] = species_[i];
}

void LocalEnergy::begin(Trial trial, int i) {
  for (const int j : affected_) place_[j] = -1;
  affected_.clear();
  trial_ = trial;
  moved_ = i;
}

double LocalEnergy::try_move(int i, const Vec3& new_position) {
  begin(Trial::move, i);
  return try_at(i, new_position);
}

// Particle i leaves its present neighbours, if it has any, for those at the new position.
double LocalEnergy::try_at(int i, const Vec3& new_position) {
  new_position_ = new_position;
  collect_shell(now_, i, new_position, new_shell_);
  const std::size_t rows = static_cast<std::size_t>(new_shell_.n) * row_;
  if (back_rows_.size() < rows) back_rows_.resize(2 * rows, 0.0);
  for (int slot = 0; slot < new_shell_.n; ++slot) {
    const int j = new_shell_.id[slot];
    const double* forward = &new_shell_.rows[static_cast<std::size_t>(slot) * row_];
    double* back = &back_rows_[static_cast<std::size_t>(slot) * row_];
    if (species_[j] == species_[i]) {
      std::copy(forward, forward + row_, back);
    } else {
      plan_->kernel.pair_row(element(j), species_[i], neighbors_[slot].r2, back);
    }
  }
  sum_shell(element(i), new_shell_, trial_descriptors(i));
  for (int slot = 0; slot < now_.shells[i].n; ++slot) leave(i, slot);
  for (int slot = 0; slot < new_shell_.n; ++slot) enter(i, slot);
  return energy_change();
}

double LocalEnergy::energy_change() {
  site_energies(affected_, trial_G_.data(), trial_energies_);
  double change = 0.0;
  for (std::size_t a = 0; a < affected_.size(); ++a)
    change += trial_energies_[a] - now_.energies[affected_[a]];
  return change;
}

void LocalEnergy::accept() {
  if (trial_ == Trial::volume) return std::swap(now_, other_);
  accept_move();
  if (trial_ == Trial::removal) {
    begin(Trial::move, moved_);  // before the numbers change
    drop(moved_);
  }
}

void LocalEnergy::reject() {
  if (trial_ != Trial::insertion) return;
  begin(Trial::move, moved_);
  drop_last();
}

void LocalEnergy::accept_move() {
  const int i = moved_;
  for (int slot = 0; slot < now_.shells[i].n; ++slot) {
    const int j = now_.shells[i].id[slot];
    if (new_shell_.find(j) < 0) now_.shells[j].remove(now_.shells[j].find(i), row_);
  }
  for (int slot = 0; slot < new_shell_.n; ++slot) {
    Shell& shell = now_.shells[new_shell_.id[slot]];
    int mine = shell.find(i);
    if (mine < 0) {
      shell.reserve(shell.n + 1, row_);
      mine = shell.n++;
    }
    shell.set(mine, i, species_[i], {-new_shell_.ux[slot], -new_shell_.uy[slot], -new_shell_.uz[slot]},
              &back_rows_[static_cast<std::size_t>(slot) * row_], row_);
  }
  std::swap(now_.shells[i], new_shell_);
  now_.positions[i] = new_position_;
  if (!now_.cells.empty()) now_.cells.move(i, new_position_);
  for (std::size_t a = 0; a < affected_.size(); ++a) {
    std::copy_n(&trial_G_[a * row_], row_, descriptors(affected_[a]));
    now_.energies[affected_[a]] = trial_energies_[a];
  }
}

}  // namespace alnn
