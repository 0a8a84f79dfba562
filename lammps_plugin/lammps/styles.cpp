// Our styles, for LAMMPS. loader/alnnplugin.cpp calls this after it has seen that this is the LAMMPS they
// were built for.
#include "loader/styles.h"

#include <mpi.h>

#include "exceptions.h"
#include "force.h"
#include "input.h"
#include "lammps.h"
#include "mc.h"
#include "pair_alnn.h"

namespace {

using namespace LAMMPS_NS;

/// LAMMPS' registration record; what is installed of it brings no header.
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

template <class Style>
void* create(LAMMPS* lmp) {
  return new Style(lmp);
}

Pair* create_pair(LAMMPS* lmp) { return new PairAlnn(lmp); }
Command* create_mc(LAMMPS* lmp) { return new Mc(lmp); }

}  // namespace

void alnn_register_styles(void* lammps, void* handle, void* callback) {
  auto* lmp = static_cast<LAMMPS*>(lammps);
  const auto add = reinterpret_cast<Register>(callback);

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

void alnn_put_styles(void* lammps) {
  auto* lmp = static_cast<LAMMPS*>(lammps);
  (*lmp->force->pair_map)["alnn"] = create_pair;
  (*lmp->input->command_map)["mc"] = create_mc;
}

int alnn_read_script(void* lammps) {
  auto* lmp = static_cast<LAMMPS*>(lammps);
  try {
    lmp->input->file();
  } catch (const LAMMPSAbortException&) {
    MPI_Abort(MPI_COMM_WORLD, 1);  // an error of one rank, which it has told
  } catch (const LAMMPSException&) {
    return 1;  // an error of all ranks, which one has told
  }
  return 0;
}
