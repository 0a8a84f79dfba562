#include "mc/cell_list.hpp"

#include <algorithm>

namespace alnn {

namespace {

/// Distances between opposite faces across a, b and c.
std::array<double, 3> face_distances(const Box& box) {
  std::array<double, 3> distances;
  for (int d = 0; d < 3; ++d) {
    Box one = box;
    one.periodic = {d == 0, d == 1, d == 2};
    distances[d] = one.smallest_face_distance();
  }
  return distances;
}

/// Which of n cells the fractional coordinate `f` (any image) lies in.
int cell_along(double f, int n) { return std::min(n - 1, static_cast<int>((f - std::floor(f)) * n)); }

}  // namespace

// Cells are a little wider than the radius, so that rounding at their faces loses no neighbour, and not so
// narrow that most of them are empty.
CellList::Division CellList::division(const Box& box, int n, double radius) {
  const double width = std::max(radius * (1.0 + 1e-6), std::cbrt(box.volume() / (2.0 * n)));
  const std::array<double, 3> distances = face_distances(box);
  Division cells;
  for (int d = 0; d < 3; ++d) cells[d] = static_cast<int>(distances[d] / width);
  return cells;
}

bool CellList::pays(const Box& box, int n, double radius) {
  if (!box.all_periodic() || n < 64 || radius <= 0.0) return false;
  const Division cells = division(box, n, radius);
  // With fewer than three in a direction a cell would be its own neighbour twice.
  return std::min({cells[0], cells[1], cells[2]}) >= 3 && cells[0] * cells[1] * cells[2] >= 2 * 27;
}

CellList::CellList(const std::vector<Vec3>& positions, const Box& box, double radius)
    : box_(box),
      inverse_{1.0 / box.lx, 1.0 / box.ly, 1.0 / box.lz},
      n_(division(box, static_cast<int>(positions.size()), radius)),
      capacity_(4) {
  const int cells = n_[0] * n_[1] * n_[2];
  counts_.assign(cells, 0);
  members_.resize(static_cast<std::size_t>(cells) * capacity_);
  around_.reserve(27 * static_cast<std::size_t>(cells));
  for (int a = 0; a < n_[0]; ++a)
    for (int b = 0; b < n_[1]; ++b)
      for (int c = 0; c < n_[2]; ++c)
        for (int k = 0; k < 27; ++k)
          around_.push_back(((a + n_[0] + k / 9 - 1) % n_[0] * n_[1] + (b + n_[1] + k / 3 % 3 - 1) % n_[1]) *
                                n_[2] +
                            (c + n_[2] + k % 3 - 1) % n_[2]);
  cell_of_.resize(positions.size());
  for (std::size_t i = 0; i < positions.size(); ++i) insert(static_cast<int>(i), positions[i]);
}

int CellList::cell_at(const Vec3& p) const {
  const double c = p.z * inverse_.z;
  const double b = (p.y - c * box_.yz) * inverse_.y;
  const double a = (p.x - b * box_.xy - c * box_.xz) * inverse_.x;
  return (cell_along(a, n_[0]) * n_[1] + cell_along(b, n_[1])) * n_[2] + cell_along(c, n_[2]);
}

void CellList::insert(int i, const Vec3& position) {
  const int cell = cell_at(position);
  if (counts_[cell] == capacity_) enlarge();
  members_[static_cast<std::size_t>(cell) * capacity_ + counts_[cell]++] = {position, i};
  cell_of_[i] = cell;
}

void CellList::move(int i, const Vec3& position) {
  const int cell = cell_of_[i];
  Member* const first = &members_[static_cast<std::size_t>(cell) * capacity_];
  Member* const mine =
      std::find_if(first, first + counts_[cell], [i](const Member& m) { return m.particle == i; });
  if (cell_at(position) == cell) {
    mine->position = position;
    return;
  }
  *mine = first[--counts_[cell]];
  insert(i, position);
}

void CellList::enlarge() {
  std::vector<Member> wider(members_.size() * 2);
  for (std::size_t cell = 0; cell < counts_.size(); ++cell)
    std::copy_n(&members_[cell * capacity_], counts_[cell], &wider[cell * 2 * capacity_]);
  members_ = std::move(wider);
  capacity_ *= 2;
}

}  // namespace alnn
