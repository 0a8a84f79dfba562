// LAMMPS' atoms as a chain sees them: numbered 0..N-1 by rising ID, known to every rank.
#ifndef ALNN_MC_ATOMS_H
#define ALNN_MC_ATOMS_H

#include <vector>

#include "geometry.hpp"
#include "pointers.h"

namespace alnn {

/// Reads LAMMPS' atoms, creates and deletes some of them where particles come and go, and puts a chain's
/// positions back: owners, ghosts and neighbour lists follow when an atom has moved by more than half the
/// skin. All functions are collective over the LAMMPS instance.
class McAtoms : protected LAMMPS_NS::Pointers {
 public:
  /// Sets LAMMPS up as a run would (without computing forces) and gathers all atoms.
  explicit McAtoms(LAMMPS_NS::LAMMPS* lmp);

  int size() const { return static_cast<int>(tags_.size()); }
  const std::vector<Vec3>& positions() const { return positions_; }
  const std::vector<int>& types() const { return types_; }  // from 0
  int inserted_type() const { return inserted_type_; }      // from 0
  Box box() const;

  /// Put particle `k` at `position` (any image).
  void place(int k, const Vec3& position);
  /// Give LAMMPS the periodic box `box`, which is the present one scaled about the origin, and put the
  /// particles at `positions`, which are the present ones scaled like it.
  void rescale(const Box& box, const std::vector<Vec3>& positions);
  /// One atom more at `position`, the last, of the type of the first atom at the start, at rest.
  void insert(const Vec3& position);
  /// Atom `k` goes; the last takes its number and its ID.
  void remove(int k);
  /// Atoms `k` and `l` exchange their numbers and IDs. Only after `insert` or `remove`, before `update`.
  void swap_numbers(int k, int l);
  /// The number of the atom with this ID.
  int number_of(LAMMPS_NS::tagint tag) const;
  /// Bring ghosts up to date; and owners and neighbour lists if atoms have moved far.
  void update();
  /// Put all particles at `positions`, however far away, with their owners, in `box` (as in `rescale`); of
  /// the last ones there may be more or fewer than now.
  void place_all(const Box& box, const std::vector<Vec3>& positions);

 private:
  void gather();
  void rebuild();
  void migrate();
  void find_owned();
  void fit_open_directions();
  bool moved_far(int k) const;
  void write_positions();
  void place_present(const Box& box, const std::vector<Vec3>& positions);

  int inserted_type_ = 0;
  Vec3 shift_;  // LAMMPS' coordinates minus ours in directions that are not periodic
  std::vector<LAMMPS_NS::tagint> tags_;
  std::vector<int> types_;
  std::vector<Vec3> positions_;
  std::vector<Vec3> held_;    // positions at the last build of the neighbour lists
  std::vector<int> local_;    // index among this rank's atoms, -1 if another rank's
  std::vector<Vec3> offset_;  // LAMMPS' coordinates minus ours, of this rank's atoms
  bool stale_ = true;
};

}  // namespace alnn

#endif
