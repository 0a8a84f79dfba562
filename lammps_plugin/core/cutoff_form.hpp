// The forms of the cutoff function f_c, named as in the potential file: cosine, tanh3, tanh3_unit, exp, poly1
// to poly4, and hard, which is 1 up to the cutoff.
#pragma once

namespace alnn {

enum class CutoffForm { cosine, tanh3, tanh3_unit, exp, poly1, poly2, poly3, poly4, hard };

/// Whether f_c starts to fall at r = 0 whatever the rest of the function is: it knows no inner cutoff.
inline bool falls_from_zero(CutoffForm form) {
  return form == CutoffForm::tanh3 || form == CutoffForm::tanh3_unit;
}

/// 1 / tanh(1)^3, which makes tanh3_unit 1 at r = 0.
constexpr double tanh3_norm = 2.263753795225350795;

}  // namespace alnn
