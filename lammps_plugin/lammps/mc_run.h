// What every kind of `mc` needs of LAMMPS while it runs: its atoms, files, clock and variables.
#ifndef ALNN_MC_RUN_H
#define ALNN_MC_RUN_H

#include <memory>
#include <string>
#include <vector>

#include "mc/chain.hpp"
#include "mc_atoms.h"
#include "mc_frames.h"
#include "mc_settings.h"
#include "pointers.h"

namespace alnn {

/// eV per unit of energy of the input (units metal or real).
double to_ev(const LAMMPS_NS::LAMMPS* lmp);

/// One run of the command. What it writes is written by rank 0.
class McRun : protected LAMMPS_NS::Pointers {
 public:
  explicit McRun(LAMMPS_NS::LAMMPS* lmp);

  LAMMPS_NS::LAMMPS* lammps() const { return lmp; }
  McAtoms& atoms() { return atoms_; }
  const McAtoms& atoms() const { return atoms_; }
  /// Of the start.
  const Box& start_box() const { return start_box_; }
  VolumeMoves volume_moves(const McSettings& settings) const;

  /// The file of the keyword dump, if it was given.
  void open_dump(const McSettings& settings);
  /// A file of rank 0, none if the path is empty. Collective.
  std::unique_ptr<OutputFile> open(const std::string& path) const;
  void write(const std::unique_ptr<OutputFile>& file, const std::string& text) const;
  /// Into the dump; `keys` as in extended_xyz.
  void write_frame(const ChainState& state, const std::string& keys);

  /// Whether LAMMPS' timer leaves time. Collective.
  bool keep_going(std::int64_t cycle);
  /// Sets an internal-style variable, for the lines of the script that follow.
  void publish(const char* name, double value) const;
  /// The last lines of the log.
  void report_end(const ChainState& state, double seconds) const;

 private:
  McAtoms atoms_;
  Box start_box_;
  Vec3 start_origin_;
  std::unique_ptr<OutputFile> dump_;  // of rank 0
  std::vector<std::string> species_;
  bool timed_out_ = false;
};

}  // namespace alnn

#endif
