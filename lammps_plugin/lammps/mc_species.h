// Names of LAMMPS' atom types.
#ifndef ALNN_MC_SPECIES_H
#define ALNN_MC_SPECIES_H

#include <string>
#include <vector>

namespace LAMMPS_NS {
class LAMMPS;
}

namespace alnn {

/// Names of all types, as the pair style's pair_coeff line or the label map gives them; empty if neither
/// does.
std::vector<std::string> names_of_types(LAMMPS_NS::LAMMPS* lmp);

}  // namespace alnn

#endif
