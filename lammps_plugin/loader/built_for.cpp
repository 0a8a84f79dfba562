// What this plugin was built for. The text can be read in the file, too.
#include "built_for.h"

#include <mpi.h>

#if defined(OPEN_MPI)
#define ALNN_MPI_FAMILY "OpenMPI"
#elif defined(MPI_STUBS)
#define ALNN_MPI_FAMILY "stubs"
#elif defined(MPICH_VERSION) || defined(MPICH_NAME) || defined(I_MPI_VERSION)
#define ALNN_MPI_FAMILY "MPICH"
#else
#define ALNN_MPI_FAMILY ""
#endif

const char alnn_built_for[] =
    "version=" ALNN_LAMMPS_VERSION " mpi=" ALNN_MPI_FAMILY " sizes=" ALNN_LAMMPS_SIZES;
