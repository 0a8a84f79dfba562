#include "mc/guards.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <string>

namespace alnn {

namespace {

std::string in_words(const char* format, double a, double b) {
  char text[256];
  std::snprintf(text, sizeof text, format, a, b);
  return text;
}

}  // namespace

Guards::Guards(const std::vector<Vec3>& positions, const std::vector<int>& kinds, const Box& box,
               const std::vector<double>& rmin, double cluster_radius, bool cells)
    : n_(static_cast<int>(positions.size())),
      kinds_(kinds),
      cluster_radius2_(cluster_radius * cluster_radius),
      reach_(cluster_radius),
      with_cells_(cells),
      kind_of_inserted_(kinds.empty() ? 0 : kinds[0]),
      r2_(positions.size() + 1) {
  while (n_kinds_ * n_kinds_ < static_cast<int>(rmin.size())) ++n_kinds_;
  for (const double r : rmin) {
    rmin2_.push_back(r * r);
    largest_rmin2_ = std::max(largest_rmin2_, r * r);
    reach_ = std::max(reach_, r);
  }
  if (is_narrow(box))
    throw std::invalid_argument(in_words(
        box.all_periodic()
            ? "expected a periodic box at least twice as wide as rmin and the cluster radius (%g A), "
              "found %g A"
            : "expected a slab or wire at least twice as wide as rmin and as wide as the cluster radius "
              "(twice %g A), found %g A",
        narrowest(box), box.smallest_face_distance()));
  now_ = state_at(box, positions);
  refuse_start(find_graph_and_clash(now_));
}

// In a narrower box a pair has images within reach of which one is looked at. That must not happen to rmin.
// The cluster criterion may then miss a link, never find one that is not there; what it refuses still depends
// on the positions alone. Slabs and wires need that, for their cells are often small.
double Guards::narrowest(const Box& box) const {
  if (box.all_periodic()) return reach_;
  return std::max(std::sqrt(largest_rmin2_), 0.5 * std::sqrt(cluster_radius2_));
}

bool Guards::is_narrow(const Box& box) const {
  return box.any_periodic() && box.smallest_face_distance() < 2.0 * narrowest(box);
}

Guards::State Guards::state_at(const Box& box, const std::vector<Vec3>& positions) const {
  State state;
  state.box = box;
  state.image = MinimumImage(box);
  for (const Vec3& p : positions) {
    state.x.push_back(p.x);
    state.y.push_back(p.y);
    state.z.push_back(p.z);
  }
  if (with_cells_ && CellList::pays(box, n_, reach_)) state.cells = CellList(positions, box, reach_);
  if (cluster_radius2_ > 0.0) state.graph = ClusterGraph(n_);
  return state;
}

template <bool Periodic>
void Guards::measure_all(const State& state, int i, const Vec3& p) {
  const double *x = state.x.data(), *y = state.y.data(), *z = state.z.data();
  double* r2 = r2_.data();
  if (Periodic && !state.image.orthogonal()) {
    const MinimumImage image = state.image;
    for (int j = 0; j < n_; ++j) r2[j] = norm2(image({x[j] - p.x, y[j] - p.y, z[j] - p.z}));
  } else {
    const MinimumImage& m = state.image;
    const double lx = m.lx, ly = m.ly, lz = m.lz, ix = m.inverse_lx, iy = m.inverse_ly, iz = m.inverse_lz;
    for (int j = 0; j < n_; ++j) {
      double dx = x[j] - p.x, dy = y[j] - p.y, dz = z[j] - p.z;
      if (Periodic) {
        dx -= lx * nearest_integer(dx * ix);
        dy -= ly * nearest_integer(dy * iy);
        dz -= lz * nearest_integer(dz * iz);
      }
      r2[j] = dx * dx + dy * dy + dz * dz;
    }
  }
  r2[i] = INFINITY;
}

// Squared distances from `p`, where particle i shall be, or a further one if i is their number: all of them
// into r2_, or through cells those within reach into near_.
void Guards::measure(const State& state, int i, const Vec3& p) {
  if (!state.cells.empty()) {
    near_.clear();
    const double reach2 = reach_ * reach_;
    state.cells.near(p, [&](int j, const Vec3& other) {
      const double r2 = norm2(state.image(other - p));
      if (r2 < reach2 && j != i) near_.emplace_back(j, r2);
    });
  } else if (state.box.any_periodic()) {
    measure_all<true>(state, i, p);
  } else {
    measure_all<false>(state, i, p);
  }
}

// A particle that is too close to the measured one of this kind, -1 if there is none.
int Guards::clash_of(const State& state, int kind) const {
  if (largest_rmin2_ == 0.0) return -1;
  if (!state.cells.empty()) {
    for (const auto& [j, r2] : near_)
      if (r2 < limit2(kind, j)) return j;
    return -1;
  }
  double closest = INFINITY;
  for (int j = 0; j < n_; ++j) closest = r2_[j] < closest ? r2_[j] : closest;
  if (closest >= largest_rmin2_) return -1;
  for (int j = 0; j < n_; ++j)
    if (r2_[j] < limit2(kind, j)) return j;
  return -1;
}

void Guards::find_new_row(State& state) const {
  if (!state.cells.empty()) {
    state.graph.clear_new_row();
    for (const auto& [j, r2] : near_)
      if (r2 < cluster_radius2_) state.graph.add_to_new_row(j);
    return;
  }
  state.graph.set_new_row([this](int first, int last) {
    std::uint64_t bits = 0;
    for (int j = first; j < last; ++j)
      bits |= static_cast<std::uint64_t>(r2_[j] < cluster_radius2_) << (j - first);
    return bits;
  });
}

Guards::Verdict Guards::try_move(int i, const Vec3& position) {
  trial_kind_ = Trial::move;
  moved_ = i;
  moved_to_ = position;
  measure(now_, i, position);
  if (clash_of(now_, kinds_[i]) >= 0) return Verdict::hard_core;
  if (now_.graph.empty()) return Verdict::pass;
  find_new_row(now_);
  return now_.graph.stays_connected(i) ? Verdict::pass : Verdict::disconnected;
}

Guards::Verdict Guards::try_insert(const Vec3& position) {
  trial_kind_ = Trial::insertion;
  moved_to_ = position;
  measure(now_, n_, position);
  if (clash_of(now_, kind_of_inserted_) >= 0) return Verdict::hard_core;
  if (now_.graph.empty()) return Verdict::pass;
  find_new_row(now_);
  return now_.graph.takes_up() ? Verdict::pass : Verdict::disconnected;
}

Guards::Verdict Guards::try_remove(int i) {
  trial_kind_ = Trial::removal;
  moved_ = i;
  return now_.graph.empty() || now_.graph.can_spare(i) ? Verdict::pass : Verdict::disconnected;
}

// Fills the graph of a state; returns the first pair that is too close, (-1, -1) if there is none.
std::pair<int, int> Guards::find_graph_and_clash(State& state) {
  for (int i = 0; i < n_; ++i) {
    measure(state, i, {state.x[i], state.y[i], state.z[i]});
    const int j = clash_of(state, kinds_[i]);
    if (j >= 0) return {i, j};
    if (state.graph.empty()) continue;
    find_new_row(state);
    state.graph.keep_row(i);
  }
  return {-1, -1};
}

Guards::Verdict Guards::try_volume(const Box& box, const std::vector<Vec3>& positions) {
  trial_kind_ = Trial::volume;
  if (is_narrow(box)) return Verdict::narrow;
  trial_ = state_at(box, positions);
  if (find_graph_and_clash(trial_).first >= 0) return Verdict::hard_core;
  if (!trial_.graph.empty() && trial_.graph.unreached_particle() >= 0) return Verdict::disconnected;
  return Verdict::pass;
}

void Guards::accept() {
  if (trial_kind_ == Trial::volume) return std::swap(now_, trial_);
  if (trial_kind_ == Trial::insertion) return insert();
  if (trial_kind_ == Trial::removal) return remove(moved_);
  now_.x[moved_] = moved_to_.x;
  now_.y[moved_] = moved_to_.y;
  now_.z[moved_] = moved_to_.z;
  if (!now_.cells.empty()) now_.cells.move(moved_, moved_to_);
  if (!now_.graph.empty()) now_.graph.accept(moved_);
}

// Looks at all particles from now on: cells are for boxes of many, whose number does not change.
void Guards::insert() {
  now_.cells = CellList();
  now_.x.push_back(moved_to_.x);
  now_.y.push_back(moved_to_.y);
  now_.z.push_back(moved_to_.z);
  kinds_.push_back(kind_of_inserted_);
  r2_.push_back(0.0);
  if (!now_.graph.empty()) now_.graph.add();
  ++n_;
}

void Guards::remove(int i) {
  now_.cells = CellList();
  for (std::vector<double>* of : {&now_.x, &now_.y, &now_.z}) {
    (*of)[i] = of->back();
    of->pop_back();
  }
  kinds_[i] = kinds_.back();
  kinds_.pop_back();
  r2_.pop_back();
  if (!now_.graph.empty()) now_.graph.remove(i);
  --n_;
}

void Guards::refuse_start(std::pair<int, int> clash) const {
  if (const auto [i, j] = clash; i >= 0) {
    const Vec3 d = now_.image({now_.x[j] - now_.x[i], now_.y[j] - now_.y[i], now_.z[j] - now_.z[i]});
    throw std::invalid_argument(
        "expected no pair closer than rmin at the start, found particles " + std::to_string(i + 1) + " and " +
        std::to_string(j + 1) +
        in_words(" at %g A where rmin is %g A", std::sqrt(norm2(d)), std::sqrt(limit2(kinds_[i], j))));
  }
  if (now_.graph.empty()) return;
  ClusterGraph graph = now_.graph;
  if (const int unreached = graph.unreached_particle(); unreached >= 0)
    throw std::invalid_argument(
        "expected one connected cluster at the start, found particle " + std::to_string(unreached + 1) +
        " with no chain of neighbours" +
        in_words(" closer than the cluster radius (%g A) to particle 1", std::sqrt(cluster_radius2_), 0.0));
}

}  // namespace alnn
