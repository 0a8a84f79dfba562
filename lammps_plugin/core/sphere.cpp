#include "sphere.hpp"

#include <cmath>

namespace alnn {

namespace {

constexpr double pi = 3.14159265358979323846;

struct Abscissa {
  double x, weight;
};

// Gauss-Legendre on [-1, 1], weights summing to 1: exact up to degree 2n - 1.
std::vector<Abscissa> gauss_legendre(int n) {
  std::vector<Abscissa> rule;
  for (int i = 0; i < n; ++i) {
    double x = std::cos(pi * (i + 0.75) / (n + 0.5)), slope = 1.0;
    for (int iteration = 0; iteration < 20; ++iteration) {
      const double value = legendre(n, x, &slope);
      x -= value / slope;
    }
    legendre(n, x, &slope);
    rule.push_back({x, 1.0 / ((1.0 - x * x) * slope * slope)});
  }
  return rule;
}

}  // namespace

double legendre(int l, double x, double* derivative) {
  double p0 = 1.0, p1 = x, d0 = 0.0, d1 = 1.0;
  if (l == 0) p1 = 1.0, d1 = 0.0;
  for (int k = 2; k <= l; ++k) {
    const double p2 = ((2 * k - 1) * x * p1 - (k - 1) * p0) / k;
    const double d2 = d0 + (2 * k - 1) * p1;
    p0 = p1, p1 = p2, d0 = d1, d1 = d2;
  }
  if (derivative) *derivative = d1;
  return p1;
}

std::vector<SpherePoint> sphere_rule(int degree) {
  const int around = degree + 1;
  std::vector<SpherePoint> points;
  for (const auto& [z, weight] : gauss_legendre(degree / 2 + 1))
    for (int i = 0; i < around; ++i) {
      const double phi = 2.0 * pi * (i + 0.5) / around, rho = std::sqrt(1.0 - z * z);
      points.push_back({{rho * std::cos(phi), rho * std::sin(phi), z}, weight / around});
    }
  return points;
}

std::vector<double> harmonics(int l, const Vec3& u) {
  std::vector<double> values(2 * l + 1);
  double c = 1.0, s = 0.0, diagonal = 1.0;
  for (int m = 0; m <= l; ++m) {
    double q0 = 0.0, q = diagonal;  // d^m P_k / dz^m for k = m - 1 and m, raised to k = l
    for (int k = m + 1; k <= l; ++k) {
      const double next = ((2 * k - 1) * u.z * q - (k + m - 1) * q0) / (k - m);
      q0 = q, q = next;
    }
    values[m == 0 ? 0 : 2 * m - 1] = q * c;
    if (m > 0) values[2 * m] = q * s;
    const double c_next = u.x * c - u.y * s;
    s = u.x * s + u.y * c, c = c_next;
    diagonal *= 2 * m + 1;
  }
  return values;
}

std::vector<double> addition_factors(int l) {
  std::vector<double> factors{1.0};
  double ratio = 2.0;  // 2 (l - m)! / (l + m)!
  for (int m = 1; m <= l; ++m) {
    ratio /= static_cast<double>(l + m) * (l - m + 1);
    factors.push_back(ratio), factors.push_back(ratio);
  }
  return factors;
}

std::vector<double> triple_averages(int la, int lb, int l) {
  std::vector<double> averages((2 * la + 1) * (2 * lb + 1) * (2 * l + 1), 0.0);
  for (const auto& [u, weight] : sphere_rule(la + lb + l)) {
    const auto a = harmonics(la, u), b = harmonics(lb, u);
    double* next = averages.data();
    for (const double y : harmonics(l, u))
      for (const double ya : a)
        for (const double yb : b) *next++ += weight * y * ya * yb;
  }
  return averages;
}

std::vector<double> legendre_series(double (*f)(int, double), int parameter, int degree) {
  std::vector<double> series(degree + 1, 0.0);
  for (const auto& [x, weight] : gauss_legendre(degree + 1))
    for (int l = 0; l <= degree; ++l) series[l] += (2 * l + 1) * weight * f(parameter, x) * legendre(l, x);
  return series;
}

}  // namespace alnn
