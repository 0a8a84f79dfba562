// Harmonics Y_lm as polynomials in a unit vector (x, y, z), see MomentBlock, and the gradient of a sum of
// them. With Q_lm = d^m P_l(z)/dz^m, for which dQ_lm/dz = Q_l,m+1, and (x + iy)^m = c_m + i s_m.
#pragma once

#include "isa/vector.hpp"

namespace alnn::ALNN_ISA {

template <int L>
struct Harmonics {
  vd Q[L + 2][L + 2];  // [m][l]; zero for l < m
  vd c[L + 1], s[L + 1];

  Harmonics(vd x, vd y, vd z) {
    c[0] = broadcast(1.0), s[0] = vd{};
#pragma GCC unroll 16
    for (int m = 1; m <= L; ++m) {
      c[m] = x * c[m - 1] - y * s[m - 1];
      s[m] = x * s[m - 1] + y * c[m - 1];
    }
    double diagonal = 1.0;  // (2m - 1)!!
#pragma GCC unroll 16
    for (int m = 0; m <= L; ++m) {
      Q[m][m] = broadcast(diagonal);
      if (m < L) Q[m][m + 1] = (2 * m + 1) * diagonal * z;
#pragma GCC unroll 16
      for (int l = m + 2; l <= L; ++l)
        Q[m][l] =
            z * Q[m][l - 1] * (double(2 * l - 1) / (l - m)) - Q[m][l - 2] * (double(l + m - 1) / (l - m));
      diagonal *= 2 * m + 1;
    }
  }

  /// visit(h, value) for each harmonic.
  template <class Visit>
  void for_each(const Visit& visit) const {
#pragma GCC unroll 16
    for (int l = 0; l <= L; ++l) {
      visit(l * l, Q[0][l]);
#pragma GCC unroll 16
      for (int m = 1; m <= l; ++m) {
        visit(l * l + 2 * m - 1, Q[m][l] * c[m]);
        visit(l * l + 2 * m, Q[m][l] * s[m]);
      }
    }
  }

  /// Gradient of sum_h T[h] Y_h by x, y, z.
  void gradient(const vd* T, vd& gx, vd& gy, vd& gz) const {
    gx = gy = gz = vd{};
#pragma GCC unroll 16
    for (int l = 1; l <= L; ++l) gz += T[l * l] * Q[1][l];
#pragma GCC unroll 16
    for (int m = 1; m <= L; ++m) {
      vd a{}, b{}, da{}, db{};  // factors of c_m and s_m, and their derivatives by z
#pragma GCC unroll 16
      for (int l = m; l <= L; ++l) {
        const vd tc = T[l * l + 2 * m - 1], ts = T[l * l + 2 * m];
        a += tc * Q[m][l], b += ts * Q[m][l];
        if (l > m) da += tc * Q[m + 1][l], db += ts * Q[m + 1][l];
      }
      gx += m * (a * c[m - 1] + b * s[m - 1]);
      gy += m * (b * c[m - 1] - a * s[m - 1]);
      gz += da * c[m] + db * s[m];
    }
  }
};

}  // namespace alnn::ALNN_ISA
