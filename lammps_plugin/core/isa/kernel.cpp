// The table of one instruction set.
#include "isa/parts.hpp"
#include "isa/vector.hpp"

#define ALNN_STRING_(x) #x
#define ALNN_STRING(x) ALNN_STRING_(x)

namespace alnn {
namespace ALNN_ISA {
namespace {

void descriptors(const ElementView& e, SiteView& s, bool gradients) {
  distances(e, s);
  for (int i = 0; i < e.n_radial; ++i) radial_block(e, e.radial[i], s, gradients);
  angular_functions(e, s, gradients);
}

void gradients(const ElementView& e, SiteView& s) {
  for (int j = 0; j < s.n; ++j) s.ax[j] = s.ay[j] = s.az[j] = s.b[j] = s.radial[j] = 0.0;
  radial_gradients(e, s);
  angular_gradients(e, s);
  for (int j = 0; j < s.n; ++j) {
    s.gx[j] = s.radial[j] * s.x[j] + (s.ax[j] - s.b[j] * s.ux[j]) * s.inverse_r[j];
    s.gy[j] = s.radial[j] * s.y[j] + (s.ay[j] - s.b[j] * s.uy[j]) * s.inverse_r[j];
    s.gz[j] = s.radial[j] * s.z[j] + (s.az[j] - s.b[j] * s.uz[j]) * s.inverse_r[j];
  }
}

}  // namespace
}  // namespace ALNN_ISA

extern const Kernel ALNN_KERNEL;
const Kernel ALNN_KERNEL = {ALNN_STRING(ALNN_ISA_NAME), ALNN_ISA::W,       ALNN_ISA::descriptors,
                            ALNN_ISA::gradients,        ALNN_ISA::network, ALNN_ISA::pair_row,
                            ALNN_ISA::add_neighbor};

}  // namespace alnn
