#include "mc.h"

#include <mpi.h>

#include <cstring>
#include <stdexcept>

#include "atom.h"
#include "comm.h"
#include "domain.h"
#include "error.h"
#include "fmt/format.h"
#include "force.h"
#include "lammps.h"
#include "lammps_api.h"
#include "mc_gc.h"
#include "mc_local.h"
#include "mc_metropolis.h"
#include "mc_nested.h"
#include "mc_whole_energy.h"
#include "mc_words.h"
#include "modify.h"
#include "timer.h"
#include "update.h"

using namespace LAMMPS_NS;
using namespace alnn;

void Mc::command(int narg, char** arg) {
  check_input();
  McSettings settings;
  try {
    settings = parse_mc(std::vector<std::string>(arg, arg + narg), atom->ntypes);
  } catch (const McSyntaxError& fault) {
    error->all(FLERR, fault.what());
  }
  try {
    sample(settings);
  } catch (const std::invalid_argument& fault) {
    error->all(FLERR, fmt::format("mc: {}", fault.what()));
  } catch (const std::runtime_error& fault) {
    error->all(FLERR, fmt::format("mc: {}", fault.what()));
  }
}

void Mc::check_input() const {
  if (!domain->box_exist) error->all(FLERR, "mc: expected a simulation box before the command, found none");
  if (strcmp(update->unit_style, "metal") != 0 && strcmp(update->unit_style, "real") != 0)
    error->all(FLERR, "mc: expected units metal or real, found units {}", update->unit_style);
  if (!force->pair) error->all(FLERR, "mc: expected a pair style, found none");
  if (atom->natoms == 0) error->all(FLERR, "mc: expected at least one atom, found none");
  if (atom->natoms > 10000000) error->all(FLERR, "mc: expected at most 1e7 atoms, found {}", atom->natoms);
  if (!atom->tag_enable) error->all(FLERR, "mc: expected atoms with IDs, found atom_modify id no");
}

double Mc::pressure_to_ev() const {
  constexpr double bar = 1.0 / 1.602176634e6;  // eV/A^3
  return strcmp(update->unit_style, "real") == 0 ? 1.01325 * bar : bar;
}

void Mc::check_box(const McSettings& settings, const McRun& run) const {
  const Box& box = run.start_box();
  const int size = run.atoms().size();
  if (settings.cluster_radius == 0.0 && !box.all_periodic()) {
    const std::string what =
        "mc: particles can leave for good in a direction that is not periodic; "
        "the keyword cluster with a radius keeps them together";
    if (settings.ensemble == Ensemble::nested) error->all(FLERR, what);
    if (comm->me == 0) error->warning(FLERR, what);
  }
  if (settings.volume_moves && !box.all_periodic())
    error->all(FLERR, "mc: expected a box periodic in all directions for moves of the volume, found another");
  const double volume = box.volume() / size;
  if (settings.volume_moves && (volume < settings.volume_low || volume > settings.volume_high))
    error->all(FLERR, "mc: expected a start within volume {:g} {:g} A^3 per atom, found {:g}",
               settings.volume_low, settings.volume_high, volume);
  if (settings.cluster_radius > 0.0 && size > 32768)
    error->all(FLERR, "mc: expected at most 32768 atoms with the keyword cluster, found {}", size);
}

void Mc::sample(const McSettings& settings) {
  McRun run(lmp);
  McAtoms& atoms = run.atoms();
  const Box box = run.start_box();
  check_box(settings, run);
  if (settings.ensemble == Ensemble::gc) check_gc(run, settings);
  Guards guards(atoms.positions(), atoms.types(), box, settings.rmin, settings.cluster_radius);
  run.open_dump(settings);
  const std::unique_ptr<OpenEnergyModel> model = energy_model(settings, run);
  const double pressure = settings.volume_moves ? settings.pressure * pressure_to_ev() : 0.0;
  ChainState state = start_chain(atoms.positions(), box, pressure, *model);
  if (api::has_timeout(*timer)) timer->init_timeout();

  const double start = MPI_Wtime();
  if (settings.ensemble == Ensemble::nested)
    sample_nested(run, settings, state, guards, *model);
  else if (settings.ensemble == Ensemble::gc)
    sample_gc(run, settings, state, guards, *model);
  else
    sample_metropolis(run, settings, state, guards, *model);
  run.report_end(state, MPI_Wtime() - start);
  const std::string extrapolation = extrapolation_of(lmp, *model);
  if (!extrapolation.empty() && comm->me == 0) error->warning(FLERR, extrapolation);

  // Rank 0 has written the frames; should ranks on unlike processors differ in a last bit, its positions
  // and box hold.
  int n = state.size();
  MPI_Bcast(&n, 1, MPI_INT, 0, world);
  state.positions.resize(n);
  MPI_Bcast(state.positions.data(), 3 * state.size(), MPI_DOUBLE, 0, world);
  MPI_Bcast(&state.box, sizeof state.box, MPI_BYTE, 0, world);
  atoms.place_all(state.box, state.positions);
}

std::string Mc::why_not_local(const Box& box) const {
  if (atom->molecular != Atom::ATOMIC || force->kspace) return "bonds or long-range interactions";
  if (modify->n_energy_global > 0 || modify->n_pre_force > 0 || api::n_post_force(*modify) > 0)
    return "a fix that may add to the energy";
  return why_pair_not_local(lmp, box);
}

std::unique_ptr<OpenEnergyModel> Mc::energy_model(const McSettings& settings, McRun& run) const {
  const std::string hindrance = why_not_local(run.start_box());
  if (settings.local == LocalChoice::yes && !hindrance.empty())
    error->all(FLERR, "mc: expected a system whose energy changes locally with 'local yes', found {}",
               hindrance);
  const bool local = settings.local != LocalChoice::no && hindrance.empty();
  api::log_message(lmp, fmt::format("mc: {} particles, seed {}, energies {}\n", run.atoms().size(),
                                    settings.seed, local ? "updated locally" : "evaluated as a whole"));
  if (local) return make_local_energy(lmp, run.atoms());
  const bool sites = settings.ensemble == Ensemble::gc && settings.gc.swap == Swap::ebavbmc;
  return std::make_unique<WholeEnergy>(lmp, run.atoms(), to_ev(lmp), sites);
}
