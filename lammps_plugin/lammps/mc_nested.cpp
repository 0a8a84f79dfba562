#include "mc_nested.h"

#include "fmt/format.h"
#include "lammps.h"
#include "lammps_api.h"
#include "mc/nested.hpp"

using namespace LAMMPS_NS;

namespace alnn {

void sample_nested(McRun& run, const McSettings& settings, ChainState& state, Guards& guards,
                   EnergyModel& model) {
  NestedSettings s;
  s.cycles = settings.cycles;
  s.stage = settings.stage;
  s.displace = settings.displace;
  s.cap = settings.cap;
  s.tune = settings.tune;
  s.check = settings.check;
  s.temperatures = settings.temperatures;
  s.volume = run.volume_moves(settings);
  const bool npt = settings.volume_moves;
  api::log_message(run.lammps(),
                   std::string("Stage        Cap (eV/atom)     ln X   Acceptance    Displace     Mean "
                               "(eV/atom)   Lowest (eV/atom)    Samples") +
                       (npt ? "  Volume/atom (A^3)  Volume acceptance       dlnv\n" : "\n"));
  const auto samples_file = run.open(settings.samples_file);
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
        api::log_message(run.lammps(), line + "\n");
        if (samples_file)
          for (const double energy : energies)
            run.write(samples_file, fmt::format("{:.17g}\n", energy / state.size()));
        if (stage.at_cap)
          run.write_frame(state, fmt::format("stratum={} cycle={} cap={:.12g}{}", stage.number, cycle,
                                             stage.cap, pressure));
      },
      [&](std::int64_t cycle) { return run.keep_going(cycle); });
  for (std::size_t t = 0; t < settings.temperatures.size(); ++t)
    api::log_message(run.lammps(),
                     fmt::format("mc nested: T = {:g} K, ln Z = {:.6f} relative to the volume of stage 0\n",
                                 settings.temperatures[t], log_partition_function(result.stages, t)));
  run.publish("mc_displace", result.displace);
  run.publish("mc_dlnv", result.dlnv);
  run.publish("mc_acceptance", result.stages.empty() ? 0.0 : result.stages.back().counts.acceptance());
  const char* end = result.end == NestedEnd::stuck ? "stuck (acceptance below 1e-3)" : "the cycles are used";
  if (result.end == NestedEnd::stopped) end = "time is up";
  api::log_message(run.lammps(), fmt::format("mc nested: {} stages, {} cycles; {}\n", result.stages.size(),
                                             result.cycles, end));
}

}  // namespace alnn
