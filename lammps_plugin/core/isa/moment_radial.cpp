// Radial functions of moments: lanes are neighbours.
#include "isa/moment_radial.hpp"

#include "isa/parts.hpp"

namespace alnn::ALNN_ISA {

namespace {

// Zero in the lanes that belong to the next species already.
inline vd without_tail(vd v, int lanes) {
  for (int i = 0; i < W; ++i) v[i] = i < lanes ? v[i] : 0.0;
  return v;
}

}  // namespace

void moment_radial(const ElementView& e, const MomentBlock& block, SiteView& s, bool gradients) {
  const double *fc = s.fc + block.cutoff * s.padded, *dfc = s.dfc + block.cutoff * s.padded;
  const vd cutoff = broadcast(e.cutoffs[block.cutoff].outer);
  const int end = s.begin[block.species + 1];
  for (int j = s.begin[block.species]; j < end; j += W) {
    Neighbors n;
    n.inverse_r = load_anywhere(s.inverse_r + j);
    n.r = load_anywhere(s.r2 + j) * n.inverse_r;
    n.r = select(n.r < cutoff, n.r, cutoff);  // beyond it all is zero; keeps far neighbours from overflowing
    n.fc = load_anywhere(fc + j), n.dfc = load_anywhere(dfc + j);
    if (end - j < W) n.fc = without_tail(n.fc, end - j), n.dfc = without_tail(n.dfc, end - j);
    const Rows rows{s.R + block.row * s.padded + j, s.dR + block.row * s.padded + j, s.padded, gradients};
    radial_functions(block, cutoff[0], n, rows);
  }
}

}  // namespace alnn::ALNN_ISA
