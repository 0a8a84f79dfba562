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
    if (!element.plain().empty()) return "descriptors other than G2 and G5 of integer zeta";
  if (box.any_periodic() && box.smallest_face_distance() < 2.0 * plan.potential.cutoff)
    return "a periodic box narrower than twice the cutoff";
  return "";
}

LocalEnergy::LocalEnergy(std::shared_ptr<const Plan> plan, std::vector<Vec3> positions,
                         std::vector<int> species, const Box& box)
    : plan_(std::move(plan)), positions_(std::move(positions)), species_(std::move(species)), box_(box) {
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
  shells_.resize(positions_.size());
  place_.assign(positions_.size(), -1);
  energies_.assign(positions_.size(), 0.0);
  recompute();
}

// All particles within the cutoff of `position`, but for i itself.
void LocalEnergy::collect_shell(int i, const Vec3& position, Shell& shell) {
  const int n = static_cast<int>(positions_.size());
  const bool periodic = box_.any_periodic();
  shell.n = 0;
  for (int j = 0; j < n; ++j) {
    Vec3 d = positions_[j] - position;
    if (periodic) d = box_.minimum_image(d);
    const double r2 = norm2(d);
    if (r2 >= cutoff_squared_ || j == i) continue;
    shell.reserve(shell.n + 1, row_);
    const int slot = shell.n++;
    const double inverse_r = 1.0 / std::sqrt(r2);
    shell.id[slot] = j, shell.species[slot] = species_[j];
    shell.ux[slot] = d.x * inverse_r, shell.uy[slot] = d.y * inverse_r, shell.uz[slot] = d.z * inverse_r;
    plan_->kernel.pair_row(element(i), species_[j], r2, &shell.rows[static_cast<std::size_t>(slot) * row_]);
  }
}

// Each neighbour together with those before it: every pair once.
void LocalEnergy::sum_shell(const ElementView& e, const Shell& shell, double* G) const {
  std::fill_n(G, row_, 0.0);
  ShellView before = shell.view();
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

double LocalEnergy::recompute() {
  const int n = static_cast<int>(positions_.size());
  G_.assign(static_cast<std::size_t>(n) * row_, 0.0);
  std::vector<int> all(n);
  for (int i = 0; i < n; ++i) {
    all[i] = i;
    collect_shell(i, positions_[i], shells_[i]);
    sum_shell(element(i), shells_[i], descriptors(i));
  }
  site_energies(all, G_.data(), energies_);
  double total = 0.0;
  for (const double e : energies_) total += e;
  return total;
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
  const int j = shells_[i].id[slot];
  Shell& shell = shells_[j];
  const int mine = shell.find(i);
  const double unit[3] = {shell.ux[mine], shell.uy[mine], shell.uz[mine]};
  shell.species[mine] = -1;  // not its own partner
  plan_->kernel.add_neighbor(element(j), species_[i], unit,
                             &shell.rows[static_cast<std::size_t>(mine) * row_], shell.view(), -1.0,
                             trial_descriptors(j));
  shell.species[mine] = species_[i];
}

// The new neighbour in this slot of the new shell gains i.
void LocalEnergy::enter(int i, int slot) {
  const int j = new_shell_.id[slot];
  Shell& shell = shells_[j];
  const int mine = shell.find(i);
  const double unit[3] = {-new_shell_.ux[slot], -new_shell_.uy[slot], -new_shell_.uz[slot]};
  if (mine >= 0) shell.species[mine] = -1;
  plan_->kernel.add_neighbor(element(j), species_[i], unit,
                             &back_rows_[static_cast<std::size_t>(slot) * row_], shell.view(), 1.0,
                             trial_descriptors(j));
  if (mine >= 0) shell.species[mine] = species_[i];
}

double LocalEnergy::try_move(int i, const Vec3& new_position) {
  for (const int j : affected_) place_[j] = -1;
  affected_.clear();
  moved_ = i;
  new_position_ = new_position;
  collect_shell(i, new_position, new_shell_);
  const std::size_t rows = static_cast<std::size_t>(new_shell_.n) * row_;
  if (back_rows_.size() < rows) back_rows_.resize(2 * rows, 0.0);
  for (int slot = 0; slot < new_shell_.n; ++slot) {
    const int j = new_shell_.id[slot];
    const double* forward = &new_shell_.rows[static_cast<std::size_t>(slot) * row_];
    double* back = &back_rows_[static_cast<std::size_t>(slot) * row_];
    if (species_[j] == species_[i]) {
      std::copy(forward, forward + row_, back);
    } else {
      const Vec3 d = box_.any_periodic() ? box_.minimum_image(positions_[j] - new_position)
                                         : positions_[j] - new_position;
      plan_->kernel.pair_row(element(j), species_[i], norm2(d), back);
    }
  }
  sum_shell(element(i), new_shell_, trial_descriptors(i));
  for (int slot = 0; slot < shells_[i].n; ++slot) leave(i, slot);
  for (int slot = 0; slot < new_shell_.n; ++slot) enter(i, slot);
  return energy_change();
}

double LocalEnergy::energy_change() {
  site_energies(affected_, trial_G_.data(), trial_energies_);
  double change = 0.0;
  for (std::size_t a = 0; a < affected_.size(); ++a) change += trial_energies_[a] - energies_[affected_[a]];
  return change;
}

void LocalEnergy::accept() {
  const int i = moved_;
  for (int slot = 0; slot < shells_[i].n; ++slot) {
    const int j = shells_[i].id[slot];
    if (new_shell_.find(j) < 0) shells_[j].remove(shells_[j].find(i), row_);
  }
  for (int slot = 0; slot < new_shell_.n; ++slot) {
    Shell& shell = shells_[new_shell_.id[slot]];
    int mine = shell.find(i);
    if (mine < 0) {
      shell.reserve(shell.n + 1, row_);
      mine = shell.n++;
    }
    shell.set(mine, i, species_[i], {-new_shell_.ux[slot], -new_shell_.uy[slot], -new_shell_.uz[slot]},
              &back_rows_[static_cast<std::size_t>(slot) * row_], row_);
  }
  std::swap(shells_[i], new_shell_);
  positions_[i] = new_position_;
  for (std::size_t a = 0; a < affected_.size(); ++a) {
    std::copy_n(&trial_G_[a * row_], row_, descriptors(affected_[a]));
    energies_[affected_[a]] = trial_energies_[a];
  }
}

}  // namespace alnn
