// What a LAMMPS was built with, as far as it must be the same for the styles and for the LAMMPS that loads
// them.
#ifndef ALNN_LAMMPS_BUILD_HPP
#define ALNN_LAMMPS_BUILD_HPP

#include <string>

namespace alnn {

struct LammpsBuild {
  std::string version;  ///< as 20250722; updates of a stable version have its number
  std::string mpi;      ///< a family of libraries that take each other's programs: MPICH, OpenMPI, stubs
  std::string sizes;    ///< of LAMMPS' integers: smallbig, bigbig, smallsmall
};

/// From "version=20250722 mpi=MPICH sizes=smallbig", each part once; what is missing stays empty.
LammpsBuild parse_build(const std::string& record);

/// The family by what MPI_Get_library_version says; empty if it is none of these.
std::string mpi_family(const std::string& library_version);

/// By the bytes of LAMMPS' bigint and tagint; empty if there is no such LAMMPS.
std::string sizes_name(int bigint, int tagint);

/// Empty if styles of one build can live in the other; else one sentence. What is empty is not compared.
std::string mismatch(const LammpsBuild& built_for, const LammpsBuild& found);

}  // namespace alnn

#endif
