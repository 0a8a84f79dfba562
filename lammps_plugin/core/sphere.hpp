// Polynomials on the unit sphere: Legendre polynomials, harmonics, averages.
#pragma once

#include <vector>

#include "geometry.hpp"

namespace alnn {

/// P_l(x) and, if wanted, its derivative.
double legendre(int l, double x, double* derivative = nullptr);

struct SpherePoint {
  Vec3 u;
  double weight;
};

/// Points and weights (their sum is 1) that average any polynomial in (x, y, z) of up to this degree exactly:
/// Gauss-Legendre in z, equal steps around.
std::vector<SpherePoint> sphere_rule(int degree);

/// The 2l + 1 harmonics of degree l in the kernel's order and size (see MomentBlock).
std::vector<double> harmonics(int l, const Vec3& u);

/// Factors n_m with P_l(u . v) = sum_m n_m Y_lm(u) Y_lm(v), in the same order.
std::vector<double> addition_factors(int l);

/// Averages over the sphere of Y_m Y_ma Y_mb of the degrees l, la, lb: [2l + 1][2la + 1][2lb + 1].
std::vector<double> triple_averages(int la, int lb, int l);

/// Coefficients c_l, l = 0 .. degree, of a polynomial f of that degree: f(x) = sum_l c_l P_l(x).
std::vector<double> legendre_series(double (*f)(int parameter, double x), int parameter, int degree);

}  // namespace alnn
