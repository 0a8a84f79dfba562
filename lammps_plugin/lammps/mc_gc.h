// `mc gc`: particles that come from and go to a vapour.
#ifndef ALNN_MC_GC_H
#define ALNN_MC_GC_H

#include "mc_run.h"

namespace alnn {

/// Ends LAMMPS with an error where the system is none for `mc gc`.
void check_gc(const McRun& run, const McSettings& settings);

void sample_gc(McRun& run, const McSettings& settings, ChainState& state, Guards& guards,
               OpenEnergyModel& model);

}  // namespace alnn

#endif
