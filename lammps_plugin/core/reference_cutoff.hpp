// The cutoff function in its plain form, formula for formula.
#pragma once

#include "potential.hpp"

namespace alnn::reference {

/// What f_c of this form is between the inner cutoff (x = 0) and the cutoff (x = 1), and its derivative by x.
double cutoff_flank(CutoffForm form, double x, double* derivative);

/// f_c(r) of a function: 1 until its inner cutoff, 0 from its cutoff, and its form (docs/potential-file.md)
/// between them, with x from 0 to 1; and its derivative by r. Behler 2011, Eq. 4, is the cosine with an inner
/// cutoff of 0.
double cutoff_function(const Function& function, double r, double* derivative);

}  // namespace alnn::reference
