#include "mc_metropolis.h"

#include <algorithm>

#include "fmt/format.h"
#include "group.h"
#include "lammps.h"
#include "lammps_api.h"
#include "mc/block_average.hpp"
#include "mc/metropolis.hpp"

using namespace LAMMPS_NS;

namespace alnn {

namespace {

void report_volume(const McRun& run, const BlockAverage& volume) {
  const double mass = run.lammps()->group->mass(0) / run.atoms().size();  // g/mol; collective
  if (volume.count() == 0) return;
  constexpr double to_g_cm3 = 1.66053906660;  // of g/mol per A^3
  api::log_message(
      run.lammps(),
      fmt::format("mc npt: mean volume {:.8g} A^3/atom, standard error {:.2g} by ten blocks, standard "
                  "deviation {:.4g}; density {:.6g} g/cm^3\n",
                  volume.mean(), volume.standard_error(), volume.standard_deviation(),
                  to_g_cm3 * mass / volume.mean()));
}

}  // namespace

void sample_metropolis(McRun& run, const McSettings& settings, ChainState& state, Guards& guards,
                       EnergyModel& model) {
  const bool npt = settings.ensemble == Ensemble::npt;
  const std::string conditions = fmt::format("temperature={}", settings.temperature) +
                                 (npt ? fmt::format(" pressure={}", settings.pressure) : std::string());
  const auto log_file = run.open(settings.log_file);
  run.write(log_file, "cycle,energy (eV/atom),volume (A^3/atom)\n");
  BlockAverage volume(settings.cycles);
  const auto report = [&](std::int64_t cycle) {
    api::log_message(run.lammps(), fmt::format("{:8d} {:18.10f} {:11.4f}", cycle, state.energy_per_particle(),
                                               state.counts.acceptance()) +
                                       (npt ? fmt::format(" {:18.6f} {:18.4f}\n", state.volume_per_particle(),
                                                          state.volume_counts.acceptance())
                                            : "\n"));
  };
  const std::int64_t report_every = std::max<std::int64_t>(1, settings.cycles / 10);
  api::log_message(run.lammps(), std::string("   Cycle   Energy/atom (eV)  Acceptance") +
                                     (npt ? "  Volume/atom (A^3)  Volume acceptance\n" : "\n"));
  report(0);
  const MetropolisSettings s{settings.cycles,   settings.equilibrate, settings.temperature,
                             settings.displace, settings.check,       run.volume_moves(settings)};
  const MetropolisResult result =
      run_metropolis(s, state, guards, model, {settings.seed}, [&](std::int64_t cycle) {
        if (cycle > 0) volume.add(state.volume_per_particle());
        if (cycle > 0 && settings.dump_every > 0 && cycle % settings.dump_every == 0)
          run.write_frame(state, fmt::format("cycle={} {}", cycle, conditions));
        if (cycle > 0 && settings.log_every > 0 && cycle % settings.log_every == 0)
          run.write(log_file,
                    fmt::format(
                        "{},{:.12g},{}\n", cycle, state.energy_per_particle(),
                        state.box.all_periodic() ? fmt::format("{:.12g}", state.volume_per_particle()) : ""));
        if (cycle > 0 && cycle % report_every == 0) report(cycle);
        return run.keep_going(cycle + settings.equilibrate);
      });
  api::log_message(run.lammps(),
                   fmt::format("mc {}: {} cycles at {} K, displace {:.6g} A, acceptance {:.4f} of {} moves\n",
                               npt ? "npt" : "nvt", result.cycles, settings.temperature, result.displace,
                               result.production.acceptance(), result.production.attempted));
  run.publish("mc_displace", result.displace);
  run.publish("mc_acceptance", result.production.acceptance());
  if (!npt) return;
  run.publish("mc_dlnv", result.dlnv);
  api::log_message(run.lammps(),
                   fmt::format("mc npt: pressure {}, dlnv {:.6g}, acceptance {:.4f} of {} volume moves\n",
                               settings.pressure, result.dlnv, result.volume_production.acceptance(),
                               result.volume_production.attempted));
  report_volume(run, volume);
}

}  // namespace alnn
