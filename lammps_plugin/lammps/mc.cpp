#include "mc.h"

#include <cstring>
#include <stdexcept>

#include "atom.h"
#include "comm.h"
#include "domain.h"
#include "error.h"
#include "fmt/format.h"
#include "force.h"
#include "group.h"
#include "lammps.h"
#include "mc/metropolis.hpp"
#include "mc_local.h"
#include "mc_whole_energy.h"
#include "modify.h"
#include "platform.h"
#include "timer.h"
#include "update.h"
#include "utils.h"

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

double Mc::to_ev() const {
  return strcmp(update->unit_style, "real") == 0
             ? utils::get_conversion_factor(utils::ENERGY, utils::REAL2METAL)
             : 1.0;
}

double Mc::pressure_to_ev() const {
  constexpr double bar = 1.0 / 1.602176634e6;  // eV/A^3
  return strcmp(update->unit_style, "real") == 0 ? 1.01325 * bar : bar;
}

void Mc::check_box(const McSettings& settings, const Box& box) const {
  if (settings.cluster_radius == 0.0 && !box.all_periodic()) {
    const std::string what =
        "mc: particles can leave for good in a direction that is not periodic; "
        "the keyword cluster with a radius keeps them together";
    if (settings.ensemble == Ensemble::nested) error->all(FLERR, what);
    if (comm->me == 0) error->warning(FLERR, what);
  }
  if (settings.volume_moves && !box.all_periodic())
    error->all(FLERR, "mc: expected a box periodic in all directions for moves of the volume, found another");
  const double volume = box.volume() / atoms_->size();
  if (settings.volume_moves && (volume < settings.volume_low || volume > settings.volume_high))
    error->all(FLERR, "mc: expected a start within volume {:g} {:g} A^3 per atom, found {:g}",
               settings.volume_low, settings.volume_high, volume);
  if (settings.cluster_radius > 0.0 && atoms_->size() > 32768)
    error->all(FLERR, "mc: expected at most 32768 atoms with the keyword cluster, found {}", atoms_->size());
}

VolumeMoves Mc::volume_moves(const McSettings& settings) const {
  return {settings.volume_moves, settings.dlnv, settings.volume_low, settings.volume_high,
          narrowest_box(lmp, start_box_)};
}

void Mc::sample(const McSettings& settings) {
  timed_out_ = false;
  atoms_ = std::make_unique<McAtoms>(lmp);
  const Box box = start_box_ = atoms_->box();
  start_origin_ = {domain->boxlo[0], domain->boxlo[1], domain->boxlo[2]};
  check_box(settings, box);
  if (settings.ensemble == Ensemble::gc) check_gc(settings, box);
  Guards guards(atoms_->positions(), atoms_->types(), box, settings.rmin, settings.cluster_radius);
  open_dump(settings);
  const std::unique_ptr<OpenEnergyModel> model = energy_model(settings);
  const double pressure = settings.volume_moves ? settings.pressure * pressure_to_ev() : 0.0;
  ChainState state = start_chain(atoms_->positions(), box, pressure, *model);
  if (timer->has_timeout()) timer->init_timeout();

  const double start = platform::walltime();
  if (settings.ensemble == Ensemble::nested)
    sample_nested(settings, state, guards, *model);
  else if (settings.ensemble == Ensemble::gc)
    sample_gc(settings, state, guards, *model);
  else
    sample_metropolis(settings, state, guards, *model);
  report_end(state, platform::walltime() - start);

  // Rank 0 has written the frames; should ranks on unlike processors differ in a last bit, its positions
  // and box hold.
  int n = state.size();
  MPI_Bcast(&n, 1, MPI_INT, 0, world);
  state.positions.resize(n);
  MPI_Bcast(state.positions.data(), 3 * state.size(), MPI_DOUBLE, 0, world);
  MPI_Bcast(&state.box, sizeof state.box, MPI_BYTE, 0, world);
  atoms_->place_all(state.box, state.positions);
  dump_.reset();
  atoms_.reset();
}

void Mc::sample_metropolis(const McSettings& settings, ChainState& state, Guards& guards,
                           EnergyModel& model) {
  const bool npt = settings.ensemble == Ensemble::npt;
  const std::string conditions = fmt::format("temperature={}", settings.temperature) +
                                 (npt ? fmt::format(" pressure={}", settings.pressure) : std::string());
  const auto log_file = open(settings.log_file);
  write(log_file, "cycle,energy (eV/atom),volume (A^3/atom)\n");
  BlockAverage volume(settings.cycles);
  const auto report = [&](std::int64_t cycle) {
    utils::logmesg(lmp, fmt::format("{:8d} {:18.10f} {:11.4f}", cycle, state.energy_per_particle(),
                                    state.counts.acceptance()) +
                            (npt ? fmt::format(" {:18.6f} {:18.4f}\n", state.volume_per_particle(),
                                               state.volume_counts.acceptance())
                                 : "\n"));
  };
  const std::int64_t report_every = std::max<std::int64_t>(1, settings.cycles / 10);
  utils::logmesg(lmp, std::string("   Cycle   Energy/atom (eV)  Acceptance") +
                          (npt ? "  Volume/atom (A^3)  Volume acceptance\n" : "\n"));
  report(0);
  const MetropolisSettings s{settings.cycles,   settings.equilibrate, settings.temperature,
                             settings.displace, settings.check,       volume_moves(settings)};
  const MetropolisResult result =
      run_metropolis(s, state, guards, model, {settings.seed}, [&](std::int64_t cycle) {
        if (cycle > 0) volume.add(state.volume_per_particle());
        if (cycle > 0 && settings.dump_every > 0 && cycle % settings.dump_every == 0)
          write_frame(state, fmt::format("cycle={} {}", cycle, conditions));
        if (cycle > 0 && settings.log_every > 0 && cycle % settings.log_every == 0)
          write(log_file,
                fmt::format(
                    "{},{:.12g},{}\n", cycle, state.energy_per_particle(),
                    state.box.all_periodic() ? fmt::format("{:.12g}", state.volume_per_particle()) : ""));
        if (cycle > 0 && cycle % report_every == 0) report(cycle);
        return keep_going(cycle + settings.equilibrate);
      });
  utils::logmesg(lmp,
                 fmt::format("mc {}: {} cycles at {} K, displace {:.6g} A, acceptance {:.4f} of {} moves\n",
                             npt ? "npt" : "nvt", result.cycles, settings.temperature, result.displace,
                             result.production.acceptance(), result.production.attempted));
  publish("mc_displace", result.displace);
  publish("mc_acceptance", result.production.acceptance());
  if (!npt) return;
  publish("mc_dlnv", result.dlnv);
  utils::logmesg(lmp, fmt::format("mc npt: pressure {}, dlnv {:.6g}, acceptance {:.4f} of {} volume moves\n",
                                  settings.pressure, result.dlnv, result.volume_production.acceptance(),
                                  result.volume_production.attempted));
  report_volume(volume);
}

void Mc::report_volume(const BlockAverage& volume) const {
  const double mass = group->mass(0) / atoms_->size();  // g/mol; collective
  if (volume.count() == 0) return;
  constexpr double to_g_cm3 = 1.66053906660;  // of g/mol per A^3
  utils::logmesg(
      lmp, fmt::format("mc npt: mean volume {:.8g} A^3/atom, standard error {:.2g} by ten blocks, standard "
                       "deviation {:.4g}; density {:.6g} g/cm^3\n",
                       volume.mean(), volume.standard_error(), volume.standard_deviation(),
                       to_g_cm3 * mass / volume.mean()));
}

void Mc::sample_nested(const McSettings& settings, ChainState& state, Guards& guards, EnergyModel& model) {
  NestedSettings s;
  s.cycles = settings.cycles;
  s.stage = settings.stage;
  s.displace = settings.displace;
  s.cap = settings.cap;
  s.tune = settings.tune;
  s.check = settings.check;
  s.temperatures = settings.temperatures;
  s.volume = volume_moves(settings);
  const bool npt = settings.volume_moves;
  utils::logmesg(lmp, std::string("Stage        Cap (eV/atom)     ln X   Acceptance    Displace     Mean "
                                  "(eV/atom)   Lowest (eV/atom)    Samples") +
                          (npt ? "  Volume/atom (A^3)  Volume acceptance       dlnv\n" : "\n"));
  const auto samples_file = open(settings.samples_file);
  const std::string pressure = npt ? fmt::format(" pressure={}", settings.pressure) : "";
  const NestedResult result = run_nested(
      s, state, guards, model, {settings.seed},
      [&](const Stage& stage, std::int64_t cycle, const std::vector<double>& energies) {
        std::string line = fmt::format("{:5d} {:20.10f} {:8.3f} {:12.5f} {:11.5f} {:18.10f} {:18.10f} {:10d}",
                                       stage.number, stage.cap, stage.log_volume, stage.counts.acceptance(),
                                       stage.displace, stage.mean, stage.lowest, stage.samples);
        if (npt)
          line += fmt::format(" {:18.6f} {:18.5f} {:10.6f}", state.volume_per_particle(),
                              stage.volume_counts.acceptance(), stage.dlnv);
        utils::logmesg(lmp, line + "\n");
        if (samples_file)
          for (const double energy : energies)
            write(samples_file, fmt::format("{:.17g}\n", energy / state.size()));
        if (stage.at_cap)
          write_frame(state, fmt::format("stratum={} cycle={} cap={:.12g}{}", stage.number, cycle, stage.cap,
                                         pressure));
      },
      [&](std::int64_t cycle) { return keep_going(cycle); });
  for (std::size_t t = 0; t < settings.temperatures.size(); ++t)
    utils::logmesg(lmp,
                   fmt::format("mc nested: T = {:g} K, ln Z = {:.6f} relative to the volume of stage 0\n",
                               settings.temperatures[t], log_partition_function(result.stages, t)));
  publish("mc_displace", result.displace);
  publish("mc_dlnv", result.dlnv);
  publish("mc_acceptance", result.stages.empty() ? 0.0 : result.stages.back().counts.acceptance());
  const char* end = result.end == NestedEnd::stuck ? "stuck (acceptance below 1e-3)" : "the cycles are used";
  if (result.end == NestedEnd::stopped) end = "time is up";
  utils::logmesg(
      lmp, fmt::format("mc nested: {} stages, {} cycles; {}\n", result.stages.size(), result.cycles, end));
}

std::string Mc::why_not_local() const {
  if (atom->molecular != Atom::ATOMIC || force->kspace) return "bonds or long-range interactions";
  if (modify->n_energy_global > 0 || modify->n_pre_force > 0 || modify->n_post_force_any > 0)
    return "a fix that may add to the energy";
  return why_pair_not_local(lmp, atoms_->box());
}

std::unique_ptr<OpenEnergyModel> Mc::energy_model(const McSettings& settings) {
  const std::string hindrance = why_not_local();
  if (settings.local == LocalChoice::yes && !hindrance.empty())
    error->all(FLERR, "mc: expected a system whose energy changes locally with 'local yes', found {}",
               hindrance);
  const bool local = settings.local != LocalChoice::no && hindrance.empty();
  utils::logmesg(lmp, fmt::format("mc: {} particles, seed {}, energies {}\n", atoms_->size(), settings.seed,
                                  local ? "updated locally" : "evaluated as a whole"));
  if (local) return make_local_energy(lmp, *atoms_);
  const bool sites = settings.ensemble == Ensemble::gc && settings.gc.swap == Swap::ebavbmc;
  return std::make_unique<WholeEnergy>(lmp, *atoms_, to_ev(), sites);
}
