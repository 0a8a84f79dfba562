// What LAMMPS loads: looks whether this LAMMPS is the one that the styles were built for, and only then lets
// their library, which takes LAMMPS' classes to be as they were then, come in. Needs nothing itself, so that
// it loads into any LAMMPS and can say what is wrong.
#include <dlfcn.h>

#include <cstdio>
#include <string>

#include "built_for.h"
#include "lammps_build.hpp"
#include "styles.h"

#define ALNN_PUBLIC extern "C" __attribute__((visibility("default")))

// LAMMPS' library interface (library.h) and MPI's (of any): null where the process has them, but does not
// show them.
extern "C" {
__attribute__((weak)) int lammps_version(void*);
__attribute__((weak)) int lammps_extract_setting(void*, const char*);
__attribute__((weak)) int MPI_Get_library_version(char*, int*);
}

namespace {

alnn::LammpsBuild build_of(void* lammps) {
  alnn::LammpsBuild found;
  if (lammps_version) found.version = std::to_string(lammps_version(lammps));
  if (lammps_extract_setting)
    found.sizes =
        alnn::sizes_name(lammps_extract_setting(lammps, "bigint"), lammps_extract_setting(lammps, "tagint"));
  if (MPI_Get_library_version) {
    char text[16384] = "";  // MPICH's longest has 8192
    int length = 0;
    MPI_Get_library_version(text, &length);
    found.mpi = alnn::mpi_family(text);
  }
  return found;
}

/// One line, from one rank.
void complain(void* lammps, const std::string& fault) {
  if (lammps_extract_setting && lammps_extract_setting(lammps, "universe_rank") > 0) return;
  std::fprintf(stderr,
               "WARNING: alnn: pair_style alnn and mc are not there: %s; build the plugin again against this "
               "LAMMPS, or install the version it was built for\n",
               fault.c_str());
}

std::string folder_of_this_library() {
  Dl_info info{};
  if (!dladdr(reinterpret_cast<const void*>(alnn_built_for), &info) || !info.dli_fname) return "";
  const std::string path = info.dli_fname;
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

/// The function `name` of the styles' library; null, with a line said, if they do not fit.
template <class Function>
Function of_styles(void* lammps, const char* name) {
  const std::string fault = alnn::mismatch(alnn::parse_build(alnn_built_for), build_of(lammps));
  if (!fault.empty()) {
    complain(lammps, fault);
    return nullptr;
  }
  void* styles = dlopen((folder_of_this_library() + "alnn_styles.so").c_str(), RTLD_NOW | RTLD_LOCAL);
  void* function = styles ? dlsym(styles, name) : nullptr;
  if (!function) complain(lammps, std::string("expected to load its styles, found: ") + dlerror());
  return reinterpret_cast<Function>(function);
}

}  // namespace

/// Called by LAMMPS' package PLUGIN.
ALNN_PUBLIC void lammpsplugin_init(void* lammps, void* handle, void* callback) {
  if (const auto add = of_styles<decltype(&alnn_register_styles)>(lammps, "alnn_register_styles"))
    add(lammps, handle, callback);
}

/// For a LAMMPS without the package PLUGIN: called by whoever holds a LAMMPS instance. 0 if the styles are
/// there.
ALNN_PUBLIC int alnn_add_styles(void* lammps) {
  const auto add = of_styles<decltype(&alnn_put_styles)>(lammps, "alnn_put_styles");
  if (!add) return 1;
  add(lammps);
  return 0;
}

/// Runs the script that LAMMPS was started with, after `alnn_add_styles`. The exit status of a program.
ALNN_PUBLIC int alnn_run_script(void* lammps) {
  const auto run = of_styles<decltype(&alnn_read_script)>(lammps, "alnn_read_script");
  return run ? run(lammps) : 1;
}
