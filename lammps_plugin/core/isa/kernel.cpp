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
  compact_radial_functions(e, s);
  angular_functions(e, s, gradients);
  triplet_functions(e, s);
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
  double* const sums[] = {s.ax, s.ay, s.az, s.b, s.radial};
  for (double* array : sums)
    for (int j = 0; j < s.padded; j += W) store(array + j, vd{});
  if (!s.crowded) radial_gradients(e, s);
  compact_radial_gradients(e, s);
  angular_gradients(e, s);
  triplet_gradients(e, s);
  site_moment_gradients(e.always, s, derivatives, lane);
  if (s.crowded) site_moment_gradients(e.crowded, s, derivatives, lane);
  for (int j = 0; j < s.padded; j += W) {
    const vd radial = load(s.radial + j), b = load(s.b + j), inverse_r = load(s.inverse_r + j);
    store(s.gx + j, radial * load(s.x + j) + (load(s.ax + j) - b * load(s.ux + j)) * inverse_r);
    store(s.gy + j, radial * load(s.y + j) + (load(s.ay + j) - b * load(s.uy + j)) * inverse_r);
    store(s.gz + j, radial * load(s.z + j) + (load(s.az + j) - b * load(s.uz + j)) * inverse_r);
  }
}

}  // namespace
}  // namespace ALNN_ISA

extern const Kernel ALNN_KERNEL;
const Kernel ALNN_KERNEL = {
    ALNN_STRING(ALNN_ISA_NAME),    ALNN_ISA::W,         ALNN_ISA::descriptors, ALNN_ISA::invariants,
    ALNN_ISA::invariant_gradients, ALNN_ISA::gradients, ALNN_ISA::network,     ALNN_ISA::pair_row,
    ALNN_ISA::add_neighbor,        ALNN_ISA::take_rows, ALNN_ISA::give_rows,   ALNN_ISA::move_neighbor,
    ALNN_ISA::own_moments,         ALNN_ISA::scale};

}  // namespace alnn
