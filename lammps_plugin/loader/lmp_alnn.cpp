// LAMMPS' program with our styles, for a LAMMPS library without the package PLUGIN: same words on the command
// line.
#include <dlfcn.h>

#include <cstdio>

#include "library.h"

int main(int argc, char** argv) {
  void* plugin = dlopen("alnnplugin.so", RTLD_NOW | RTLD_LOCAL);  // beside this program, by its run path
  if (!plugin) {
    std::fprintf(stderr, "lmp_alnn: expected alnnplugin.so beside this program, found: %s\n", dlerror());
    return 1;
  }
  using Use = int (*)(void*);
  const auto add = reinterpret_cast<Use>(dlsym(plugin, "alnn_add_styles"));
  const auto run = reinterpret_cast<Use>(dlsym(plugin, "alnn_run_script"));
  void* lammps = lammps_open_no_mpi(argc, argv, nullptr);
  if (!lammps || !add || !run) return 1;
  const int status = add(lammps) == 0 ? run(lammps) : 1;
  if (status == 0) lammps_close(lammps);
  lammps_mpi_finalize();
  return status;
}
