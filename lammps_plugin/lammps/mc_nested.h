// `mc nested`.
#ifndef ALNN_MC_NESTED_H
#define ALNN_MC_NESTED_H

#include "mc_run.h"

namespace alnn {

void sample_nested(McRun& run, const McSettings& settings, ChainState& state, Guards& guards,
                   EnergyModel& model);

}  // namespace alnn

#endif
