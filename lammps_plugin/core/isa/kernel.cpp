// The table of one instruction set.
#include "isa/parts.hpp"
#include "isa/vector.hpp"

#define ALNN_STRING_(x) #x
#define ALNN_STRING(x) ALNN_STRING_(x)

namespace alnn {
namespace ALNN_ISA {
namespace {

void site_moments(const ElementView& e, const MomentView& view, SiteView& s, bool gradients,
                  double* variables, int lane) {
  for (int i = 0; i < view.n_blocks; ++i) {
    moment_radial(e, view.blocks[i], s, gradients);
    moments(view.blocks[i], s, variables, lane);
  }
}

void descriptors(const ElementView& e, SiteView& s, bool gradients, double* variables, int lane) {
  distances(e, s);
  if (!s.crowded)
    for (int i = 0; i < e.n_radial; ++i) radial_block(e, e.radial[i], s, gradients);
  angular_functions(e, s, gradients);
  if (!s.crowded && e.always.n_blocks == 0) return;
  harmonics(e.moment_degree, s);
  site_moments(e, e.always, s, gradients, variables, lane);
  if (s.crowded) site_moments(e, e.crowded, s, gradients, variables, lane);
}

void site_moment_gradients(const MomentView& view, SiteView& s, const double* derivatives, int lane) {
  for (int v = view.first_variable; v < view.first_variable + view.n_moments; ++v)
    s.B[v] = derivatives[v * W + lane];
  for (int i = 0; i < view.n_blocks; ++i) moment_gradients(view.blocks[i], s);
}

void gradients(const ElementView& e, SiteView& s, const double* derivatives, int lane) {
  for (int j = 0; j < s.padded; ++j) s.ax[j] = s.ay[j] = s.az[j] = s.b[j] = s.radial[j] = 0.0;
  if (!s.crowded) radial_gradients(e, s);
  angular_gradients(e, s);
  site_moment_gradients(e.always, s, derivatives, lane);
  if (s.crowded) site_moment_gradients(e.crowded, s, derivatives, lane);
  for (int j = 0; j < s.n; ++j) {
    s.gx[j] = s.radial[j] * s.x[j] + (s.ax[j] - s.b[j] * s.ux[j]) * s.inverse_r[j];
    s.gy[j] = s.radial[j] * s.y[j] + (s.ay[j] - s.b[j] * s.uy[j]) * s.inverse_r[j];
    s.gz[j] = s.radial[j] * s.z[j] + (s.az[j] - s.b[j] * s.uz[j]) * s.inverse_r[j];
  }
}

}  // namespace
}  // namespace ALNN_ISA

extern const Kernel ALNN_KERNEL;
const Kernel ALNN_KERNEL = {ALNN_STRING(ALNN_ISA_NAME),
                            ALNN_ISA::W,
                            ALNN_ISA::descriptors,
                            ALNN_ISA::invariants,
                            ALNN_ISA::invariant_gradients,
                            ALNN_ISA::gradients,
                            ALNN_ISA::network,
                            ALNN_ISA::pair_row,
                            ALNN_ISA::add_neighbor,
                            ALNN_ISA::shift_moments,
                            ALNN_ISA::gather};

}  // namespace alnn
