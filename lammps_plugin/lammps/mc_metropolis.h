// `mc nvt` and `mc npt`.
#ifndef ALNN_MC_METROPOLIS_H
#define ALNN_MC_METROPOLIS_H

#include "mc_run.h"

namespace alnn {

void sample_metropolis(McRun& run, const McSettings& settings, ChainState& state, Guards& guards,
                       EnergyModel& model);

}  // namespace alnn

#endif
