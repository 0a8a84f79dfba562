#include "lammps_build.hpp"

#include <sstream>

namespace alnn {

namespace {

bool differ(const std::string& a, const std::string& b) { return !a.empty() && !b.empty() && a != b; }

std::string described(const LammpsBuild& build) {
  const auto known = [](const std::string& part) { return part.empty() ? "unknown" : part; };
  return "LAMMPS " + known(build.version) + ", MPI " + known(build.mpi) + ", integers " + known(build.sizes);
}

}  // namespace

LammpsBuild parse_build(const std::string& record) {
  LammpsBuild build;
  std::istringstream words(record);
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) continue;
    const std::string key = word.substr(0, equals), value = word.substr(equals + 1);
    if (key == "version") build.version = value;
    if (key == "mpi") build.mpi = value;
    if (key == "sizes") build.sizes = value;
  }
  return build;
}

// MPICH and those that share its ABI (https://www.mpich.org/abi/).
std::string mpi_family(const std::string& library_version) {
  const auto names = [&](const char* name) { return library_version.find(name) != std::string::npos; };
  if (names("Open MPI")) return "OpenMPI";
  if (names("STUBS")) return "stubs";
  if (names("MPICH") || names("MVAPICH") || names("Intel(R) MPI") || names("CRAY")) return "MPICH";
  return "";
}

std::string sizes_name(int bigint, int tagint) {
  if (bigint == 8 && tagint == 4) return "smallbig";
  if (bigint == 8 && tagint == 8) return "bigbig";
  if (bigint == 4 && tagint == 4) return "smallsmall";
  return "";
}

std::string mismatch(const LammpsBuild& built_for, const LammpsBuild& found) {
  if (!differ(built_for.version, found.version) && !differ(built_for.mpi, found.mpi) &&
      !differ(built_for.sizes, found.sizes))
    return "";
  return "expected what it was built for (" + described(built_for) + "), found " + described(found);
}

}  // namespace alnn
