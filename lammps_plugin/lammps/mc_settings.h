// What the user writes after `mc`.
#ifndef ALNN_MC_SETTINGS_H
#define ALNN_MC_SETTINGS_H

#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "mc/swap.hpp"

namespace alnn {

enum class Ensemble { nvt, npt, nested, gc };
enum class LocalChoice { automatic, yes, no };

/// What only `mc gc` takes.
struct GcWords {
  Swap swap = Swap::avbmc;
  double radius = 0.0;             // R_in, angstrom; 0: the cluster radius
  double bias = 0.5;               // of the insertion target, 1/(k_B T)
  double fraction = 0.5;           // of the moves that are swaps
  double density = 0.0;            // of the vapour, 1/angstrom^3; 0: by mu
  double mu = NAN;                 // LAMMPS' unit of energy; not a number: by the density
  int low = 0, high = 0;           // sizes
  std::string umbrella_file;       // empty: none
  std::map<int, double> umbrella;  // U of sizes named one by one, k_B T
  std::string histogram_file;      // empty: none
};

struct McSettings {
  Ensemble ensemble = Ensemble::nvt;
  std::int64_t cycles = 0;
  double temperature = 0.0;  // but for nested, K
  bool volume_moves = false;
  double pressure = 0.0;   // where the volume moves, LAMMPS' unit
  std::int64_t stage = 0;  // nested: cycles of a stage
  std::uint64_t seed = 0;
  double displace = 0.3;  // angstrom
  double dlnv = 0.02;     // half width of the change of ln V
  bool dlnv_given = false;
  double volume_low = 0.0;  // angstrom^3 per atom
  double volume_high = INFINITY;
  double cluster_radius = 0.0;  // angstrom; 0: no cluster criterion
  std::vector<double> rmin;     // ntypes x ntypes, angstrom
  std::int64_t equilibrate = 0;
  std::int64_t check = 1000;
  LocalChoice local = LocalChoice::automatic;
  bool tune = false;
  double cap = INFINITY;             // nested: of the first stage, eV per atom
  std::string samples_file;          // nested: empty: the collected energies are not written
  std::int64_t dump_every = 0;       // but for nested; 0: no dump
  std::string dump_file;             // empty: no dump
  std::int64_t log_every = 0;        // but for nested; 0: no log
  std::string log_file;              // empty: no log
  std::vector<std::string> species;  // per type; empty: ask the pair style
  std::vector<double> temperatures;  // nested: where ln Z is wanted, K
  GcWords gc;
};

/// Reads the words after `mc`. Throws McSyntaxError of mc_words.h.
McSettings parse_mc(const std::vector<std::string>& words, int ntypes);

}  // namespace alnn

#endif
