// Factors of the functions of compact support in their plain form: Bircher et al. 2021 (see potential.hpp).
#pragma once

#include "potential.hpp"

namespace alnn::reference {

/// The factor of one distance, 0 outside lower .. cutoff and 1 halfway; and its derivative by r.
double compact_leg(const Function& function, double r, double* derivative);

/// The factor of the angle, 0 outside left .. right and 1 halfway; and its derivative by the cosine.
double compact_angle(const Function& function, double cosine, double* derivative);

}  // namespace alnn::reference
