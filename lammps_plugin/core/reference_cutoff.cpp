#include "reference_cutoff.hpp"

#include <cmath>

namespace alnn::reference {

namespace {

constexpr double pi = 3.14159265358979323846;

}  // namespace

// The polynomials are written in y = 1 - x, where they are sums of powers that vanish at the cutoff and not
// differences of large numbers.
double cutoff_flank(CutoffForm form, double x, double* derivative) {
  const double y = 1.0 - x, z = x * y;
  switch (form) {
    case CutoffForm::cosine:
      break;
    case CutoffForm::tanh3:
    case CutoffForm::tanh3_unit: {
      const double t = std::tanh(y), norm = form == CutoffForm::tanh3 ? 1.0 : tanh3_norm;
      *derivative = -3.0 * norm * t * t * (1.0 - t * t);
      return norm * t * t * t;
    }
    case CutoffForm::hard:
      *derivative = 0.0;
      return 1.0;
    case CutoffForm::exp: {
      const double d = y * (1.0 + x), value = std::exp(1.0 - 1.0 / d);
      *derivative = value == 0.0 ? 0.0 : -2.0 * x / (d * d) * value;
      return value;
    }
    case CutoffForm::poly1:
      *derivative = -6.0 * z;
      return y * y * (3.0 - 2.0 * y);
    case CutoffForm::poly2:
      *derivative = -30.0 * z * z;
      return std::pow(y, 3) * (10.0 - y * (15.0 - 6.0 * y));
    case CutoffForm::poly3:
      *derivative = -140.0 * z * z * z;
      return std::pow(y, 4) * (35.0 - y * (84.0 - y * (70.0 - 20.0 * y)));
    case CutoffForm::poly4:
      *derivative = -630.0 * z * z * z * z;
      return std::pow(y, 5) * (126.0 - y * (420.0 - y * (540.0 - y * (315.0 - 70.0 * y))));
  }
  *derivative = -0.5 * pi * std::sin(pi * x);
  return 0.5 * (std::cos(pi * x) + 1.0);
}

double cutoff_function(const Function& f, double r, double* derivative) {
  if (r >= f.cutoff || (r <= f.inner_cutoff && !falls_from_zero(f.cutoff_form))) {
    *derivative = 0.0;
    return r >= f.cutoff ? 0.0 : 1.0;
  }
  const double length = f.cutoff - f.inner_cutoff;
  const double value = cutoff_flank(f.cutoff_form, (r - f.inner_cutoff) / length, derivative);
  *derivative /= length;
  return value;
}

}  // namespace alnn::reference
