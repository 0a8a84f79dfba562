#include "mc_run.h"

#include <cstring>
#include <stdexcept>

#include "atom.h"
#include "comm.h"
#include "domain.h"
#include "error.h"
#include "fmt/format.h"
#include "input.h"
#include "lammps.h"
#include "lammps_api.h"
#include "mc_local.h"
#include "mc_species.h"
#include "meant_path.h"
#include "timer.h"
#include "update.h"
#include "utils.h"
#include "variable.h"

using namespace LAMMPS_NS;

namespace alnn {

double to_ev(const LAMMPS* lmp) {
  return std::strcmp(lmp->update->unit_style, "real") == 0
             ? utils::get_conversion_factor(utils::ENERGY, utils::REAL2METAL)
             : 1.0;
}

McRun::McRun(LAMMPS* lmp)
    : Pointers(lmp),
      atoms_(lmp),
      start_box_(atoms_.box()),
      start_origin_{domain->boxlo[0], domain->boxlo[1], domain->boxlo[2]} {}

VolumeMoves McRun::volume_moves(const McSettings& settings) const {
  return {settings.volume_moves, settings.dlnv, settings.volume_low, settings.volume_high,
          narrowest_box(lmp, start_box_)};
}

void McRun::open_dump(const McSettings& settings) {
  if (settings.dump_file.empty()) return;
  species_ = settings.species.empty() ? names_of_types(lmp) : settings.species;
  if (species_.empty())
    error->all(FLERR, "mc: expected the names of the {} atom types by the keyword species, found none",
               atom->ntypes);
  dump_ = open(settings.dump_file);
}

std::unique_ptr<OutputFile> McRun::open(const std::string& path) const {
  std::unique_ptr<OutputFile> file;
  if (path.empty()) return file;
  std::string fault;
  if (comm->me == 0) {
    try {
      file = std::make_unique<OutputFile>(meant_output(path));
    } catch (const std::runtime_error& caught) {
      fault = caught.what();
    }
  }
  int failed = !fault.empty();
  MPI_Bcast(&failed, 1, MPI_INT, 0, world);
  if (failed) error->all(FLERR, "mc: {}", fault.empty() ? "rank 0 could not open " + path : fault);
  return file;
}

void McRun::write(const std::unique_ptr<OutputFile>& file, const std::string& text) const {
  if (!file) return;
  try {
    file->write(text);
  } catch (const std::runtime_error& fault) {
    error->one(FLERR, "mc: {}", fault.what());  // only rank 0 writes
  }
}

void McRun::write_frame(const ChainState& state, const std::string& keys) {
  if (!dump_) return;
  // LAMMPS' box may lag behind the chain's.
  const double factor = state.box.all_periodic() ? state.box.lx / start_box_.lx : 1.0;
  std::vector<int> types = atoms_.types();
  types.resize(state.size(), atoms_.inserted_type());
  write(dump_, extended_xyz(state.positions, types, species_, state.box, factor * start_origin_,
                            fmt::format("energy={:.12g} {}", state.energy, keys)));
}

bool McRun::keep_going(std::int64_t cycle) {
  if (api::has_timeout(*timer) && timer->check_timeout(static_cast<int>(cycle))) timed_out_ = true;
  return !timed_out_;
}

void McRun::publish(const char* name, double value) const {
  Variable& variables = *input->variable;
  const int index = variables.find(name);
  if (index < 0)
    api::create_internal(variables, name, value);
  else if (variables.internalstyle(index))
    variables.internal_set(index, value);
}

void McRun::report_end(const ChainState& state, double seconds) const {
  const MoveCounts counts =
      state.counts + state.volume_counts + state.insertion_counts + state.removal_counts;
  std::string line = fmt::format(
      "mc: {} moves in {:.3f} s ({:.0f} moves/s); accepted {}, refused {}, rmin {}, cluster {}, not finite "
      "{}",
      counts.attempted, seconds, seconds > 0.0 ? counts.attempted / seconds : 0.0, counts.accepted,
      counts.refused, counts.hard_core, counts.disconnected, counts.non_finite);
  if (state.volume_counts.attempted > 0)
    line += fmt::format(", volume {}, too narrow {}", counts.out_of_range, counts.narrow);
  if (state.insertion_counts.attempted > 0)
    line += fmt::format(", size out of range {}", counts.out_of_range);
  api::log_message(lmp, line + "\n");
  api::log_message(
      lmp, fmt::format("mc: energy {:.10g} eV, largest drift of the running energy {:.3g} eV/atom{}\n",
                       state.energy, state.largest_drift, timed_out_ ? "; stopped by the timer" : ""));
}

}  // namespace alnn
