#include "mc_gc.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "atom.h"
#include "comm.h"
#include "domain.h"
#include "error.h"
#include "fmt/format.h"
#include "force.h"
#include "lammps.h"
#include "lammps_api.h"
#include "mc/gc.hpp"
#include "mc_umbrella.h"
#include "meant_path.h"

using namespace LAMMPS_NS;

namespace alnn {

namespace {

/// Thermal wavelength h / sqrt(2 pi m k_B T) in angstrom; mass in g/mol, temperature in K.
double thermal_wavelength(double mass, double temperature) {
  constexpr double planck = 6.62607015e-34, joule_per_kelvin = 1.380649e-23, kg = 1.66053906660e-27;
  return 1e10 * planck / std::sqrt(2.0 * M_PI * mass * kg * joule_per_kelvin * temperature);
}

/// The text of a file as rank 0 reads it. Collective.
std::string text_of(const std::string& path, LAMMPS* lmp) {
  std::string text;
  long length = -1;
  if (lmp->comm->me == 0) {
    std::ifstream file(meant_path(path));
    std::ostringstream all;
    if (file && all << file.rdbuf()) {
      text = all.str();
      length = static_cast<long>(text.size());
    }
  }
  MPI_Bcast(&length, 1, MPI_LONG, 0, lmp->world);
  if (length < 0)
    lmp->error->all(FLERR, "mc: expected a file with the umbrella potential, found no {}", printable(path));
  text.resize(length);
  MPI_Bcast(text.data(), static_cast<int>(length), MPI_CHAR, 0, lmp->world);
  return text;
}

std::string histogram(const GcSettings& s, const GcResult& result) {
  std::string text =
      "size,umbrella (kT),visits,insertions,sum of insertion probabilities,removals,sum of removal "
      "probabilities\n";
  for (std::size_t k = 0; k < result.sizes.size(); ++k) {
    const SizeStatistics& size = result.sizes[k];
    text += fmt::format("{},{:.17g},{},{},{:.17g},{},{:.17g}\n", s.low + k, s.umbrella[k], size.visits,
                        size.insertions, size.insertion_probability, size.removals, size.removal_probability);
  }
  return text;
}

GcSettings gc_settings(const McRun& run, const McSettings& settings) {
  LAMMPS* lmp = run.lammps();
  const Atom* atom = lmp->atom;
  const GcWords& words = settings.gc;
  GcSettings s;
  s.cycles = settings.cycles;
  s.equilibrate = settings.equilibrate;
  s.temperature = settings.temperature;
  s.displace = settings.displace;
  s.check = settings.check;
  s.swaps = words.fraction;
  s.swap = {words.swap, words.radius, 1.0 / (boltzmann * settings.temperature), words.bias};
  s.low = words.low;
  s.high = words.high;
  s.density = words.density;
  if (std::isfinite(words.mu)) {
    const int type = run.atoms().inserted_type() + 1;
    if (!atom->mass || !atom->mass_setflag[type])
      lmp->error->all(FLERR, "mc gc: expected a mass of type {} with the keyword mu, found none", type);
    s.density = std::exp(s.swap.beta * words.mu * to_ev(lmp)) /
                std::pow(thermal_wavelength(atom->mass[type], settings.temperature), 3);
  }
  std::map<int, double> umbrella = words.umbrella;
  if (!words.umbrella_file.empty())
    umbrella.merge(parse_umbrella(text_of(words.umbrella_file, lmp), words.umbrella_file));
  s.umbrella = interpolated_umbrella(umbrella, s.low, s.high);
  return s;
}

void report_gc(const McRun& run, const GcSettings& s, const GcResult& result) {
  api::log_message(
      run.lammps(),
      fmt::format(
          "mc gc: {} cycles of {} moves at {} K, vapour {:.6g}/A^3 of {:.6g} eV each, displace {:.6g} A\n",
          result.cycles, s.high, s.temperature, s.density, s.vapour_energy, result.displace));
  api::log_message(
      run.lammps(),
      fmt::format("mc gc: acceptance {:.4f} of {} displacements, {:.5f} of {} insertions, {:.5f} of "
                  "{} removals\n",
                  result.displacements.acceptance(), result.displacements.attempted,
                  result.insertions.acceptance(), result.insertions.attempted, result.removals.acceptance(),
                  result.removals.attempted));
}

}  // namespace

void check_gc(const McRun& run, const McSettings& settings) {
  const Box& box = run.start_box();
  const McAtoms& atoms = run.atoms();
  const LAMMPS* lmp = run.lammps();
  Error* error = lmp->error;
  const std::string style = api::style_of(*lmp->atom);
  if (style != "atomic")
    error->all(FLERR,
               "mc gc: expected atom_style atomic, since nothing else is known of a new atom, found {}",
               style);
  if (lmp->force->kspace)
    error->all(FLERR, "mc gc: expected no long-range interactions, found a kspace style");
  for (int d = 0; d < 3; ++d)
    if (lmp->domain->boundary[d][0] > 1 || lmp->domain->boundary[d][1] > 1)
      error->all(
          FLERR,
          "mc gc: expected periodic or fixed boundaries, since a box that shrinks about few atoms is too "
          "small for LAMMPS, found shrink-wrapped ones");
  for (const int type : atoms.types())
    if (type != atoms.inserted_type())
      error->all(FLERR,
                 "mc gc: expected all atoms to be of one type, which is inserted and removed, found types {} "
                 "and {}",
                 atoms.inserted_type() + 1, type + 1);
  if (settings.gc.swap == Swap::box && !box.all_periodic())
    error->all(FLERR, "mc gc: expected a box periodic in all directions with 'swap box', found another");
  if (settings.gc.swap != Swap::box && box.any_periodic() &&
      box.smallest_face_distance() < 2.0 * settings.gc.radius)
    error->all(FLERR,
               "mc gc: expected a periodic box at least twice as wide as the radius {:g} A, found {:g} A",
               settings.gc.radius, box.smallest_face_distance());
  if (settings.cluster_radius > 0.0 && settings.gc.high > 32768)
    error->all(FLERR, "mc gc: expected sizes of at most 32768 with the keyword cluster, found {}",
               settings.gc.high);
}

void sample_gc(McRun& run, const McSettings& settings, ChainState& state, Guards& guards,
               OpenEnergyModel& model) {
  GcSettings s = gc_settings(run, settings);
  // A chemical potential counts energies from where the potential does, a density from the vapour's own.
  if (!std::isfinite(settings.gc.mu)) s.vapour_energy = energy_alone(state.positions, model);
  const auto log_file = run.open(settings.log_file), histogram_file = run.open(settings.gc.histogram_file);
  run.write(log_file, "cycle,size,energy (eV)\n");
  api::log_message(run.lammps(),
                   "   Cycle     Size   Energy/atom (eV)  Displacements   Insertions     Removals\n");
  const auto report = [&](std::int64_t cycle) {
    api::log_message(
        run.lammps(),
        fmt::format("{:8d} {:8d} {:18.10f} {:14.4f} {:12.5f} {:12.5f}\n", cycle, state.size(),
                    state.size() > 0 ? state.energy_per_particle() : 0.0, state.counts.acceptance(),
                    state.insertion_counts.acceptance(), state.removal_counts.acceptance()));
  };
  const std::int64_t report_every = std::max<std::int64_t>(1, settings.cycles / 10);
  report(0);
  const GcResult result = run_gc(s, state, guards, model, {settings.seed}, [&](std::int64_t cycle) {
    if (cycle > 0 && settings.dump_every > 0 && cycle % settings.dump_every == 0)
      run.write_frame(state, fmt::format("cycle={} temperature={}", cycle, settings.temperature));
    if (cycle > 0 && settings.log_every > 0 && cycle % settings.log_every == 0)
      run.write(log_file, fmt::format("{},{},{:.12g}\n", cycle, state.size(), state.energy));
    if (cycle > 0 && cycle % report_every == 0) report(cycle);
    return run.keep_going(cycle + settings.equilibrate);
  });
  run.write(histogram_file, histogram(s, result));
  run.publish("mc_displace", result.displace);
  report_gc(run, s, result);
}

}  // namespace alnn
