#include "reference_compact.hpp"

#include <algorithm>
#include <cmath>

#include "reference_cutoff.hpp"

namespace alnn::reference {

namespace {

// A flank of the cutoff function on either side of the middle.
double bump(CutoffForm form, bool asymmetric, double begin, double end, double at, double* derivative) {
  *derivative = 0.0;
  if (!(at > begin && at < end)) return 0.0;
  const double half = 0.5 * (end - begin), x = (at - 0.5 * (begin + end)) / half, away = std::abs(x);
  const double value = cutoff_flank(form, asymmetric ? (2.0 - away) * away : away, derivative);
  *derivative *= std::copysign((asymmetric ? 2.0 - 2.0 * away : 1.0) / half, x);
  return value;
}

}  // namespace

double compact_leg(const Function& f, double r, double* derivative) {
  return bump(f.cutoff_form, f.asymmetric, f.lower, f.cutoff, r, derivative);
}

// Three atoms in line: the factor is even about 0 and 180 degrees or vanishes there, so that it does not
// change with the cosine to first order in any displacement.
double compact_angle(const Function& f, double cosine, double* derivative) {
  const double c = std::clamp(cosine, -1.0, 1.0), sine = std::sqrt((1.0 - c) * (1.0 + c));
  const double value = bump(f.cutoff_form, false, f.left, f.right, std::acos(c), derivative);
  *derivative = sine > 0.0 ? -*derivative / sine : 0.0;
  return value;
}

}  // namespace alnn::reference
