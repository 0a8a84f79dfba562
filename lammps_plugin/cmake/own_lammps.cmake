# The user's own LAMMPS, a source tree or what was installed: where its headers and library lie, and what it was built
# with. Sets what cmake/wheels.cmake sets for the wheels.
function(alnn_refuse expected)
  message(FATAL_ERROR "alnn: expected ${expected}")
endfunction()

# ---- headers, version, sizes of integers ----------------------------------------------------------
if(EXISTS "${ALNN_LAMMPS}/src/lammps.h")
  set(LAMMPS_INCLUDE_DIR "${ALNN_LAMMPS}/src")
  file(STRINGS "${LAMMPS_INCLUDE_DIR}/version.h" version_words REGEX "define LAMMPS_VERSION ")
  file(GLOB described_in "${ALNN_LAMMPS}/build*/CMakeCache.txt")
elseif(EXISTS "${ALNN_LAMMPS}/include/lammps/lammps.h")
  set(LAMMPS_INCLUDE_DIR "${ALNN_LAMMPS}/include/lammps")
  file(GLOB config_version "${ALNN_LAMMPS}/cmake/LAMMPS/LAMMPSConfigVersion.cmake"
       "${ALNN_LAMMPS}/lib*/cmake/LAMMPS/LAMMPSConfigVersion.cmake" "${ALNN_LAMMPS}/lib/*/cmake/LAMMPS/LAMMPSConfigVersion.cmake")
  foreach(file ${config_version})
    file(STRINGS "${file}" version_words REGEX "set\\(PACKAGE_VERSION \"[0-9.]+\"")
    string(REPLACE "ConfigVersion" "_Targets" described_in "${file}")
  endforeach()
else()
  alnn_refuse("a source tree or an installation of LAMMPS (src/lammps.h or include/lammps/lammps.h), found neither in '${ALNN_LAMMPS}'")
endif()
if(NOT EXISTS "${LAMMPS_INCLUDE_DIR}/fmt/format.h")
  alnn_refuse("all headers of LAMMPS, found no fmt/format.h in ${LAMMPS_INCLUDE_DIR}: give the source tree of this very version "
              "with -D ALNN_LAMMPS, and the library that is installed with -D LAMMPS_LIBRARY")
endif()

# As LAMMPS numbers itself: "29 Sep 2021", "2025.7.22.4" and "20220623" become 20210929, 20250722 and 20220623.
set(months Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec)
function(alnn_version_number year month day)
  math(EXPR number "${year} * 10000 + ${month} * 100 + ${day}")
  set(ALNN_LAMMPS_VERSION ${number} CACHE STRING "Version of LAMMPS, as 20250722")
endfunction()
if(NOT ALNN_LAMMPS_VERSION AND version_words MATCHES "\"([0-9]+) ([A-Z][a-z][a-z])[a-z]* ([0-9]+)\"")
  list(FIND months ${CMAKE_MATCH_2} month)
  math(EXPR month "${month} + 1")
  alnn_version_number(${CMAKE_MATCH_3} ${month} ${CMAKE_MATCH_1})
elseif(NOT ALNN_LAMMPS_VERSION AND version_words MATCHES "\"([0-9]+)[.]([0-9]+)[.]([0-9]+)")
  alnn_version_number(${CMAKE_MATCH_1} ${CMAKE_MATCH_2} ${CMAKE_MATCH_3})
elseif(NOT ALNN_LAMMPS_VERSION AND version_words MATCHES "\"(20[0-9][0-9][0-9][0-9][0-9][0-9])\"")
  set(ALNN_LAMMPS_VERSION ${CMAKE_MATCH_1} CACHE STRING "Version of LAMMPS, as 20250722")
elseif(NOT ALNN_LAMMPS_VERSION)
  alnn_refuse("the version of LAMMPS in ${ALNN_LAMMPS}, found none: give it as -D ALNN_LAMMPS_VERSION=20250722")
endif()
set(LAMMPS_VERSION_NUMBER ${ALNN_LAMMPS_VERSION})

set(found_sizes smallbig)
foreach(file ${described_in})
  if(EXISTS "${file}")
    file(STRINGS "${file}" sizes_line REGEX "LAMMPS_SIZES:STRING=|INTERFACE_COMPILE_DEFINITIONS")
    string(TOLOWER "${sizes_line}" sizes_line)
    if(sizes_line MATCHES "(bigbig|smallsmall)")
      set(found_sizes ${CMAKE_MATCH_1})
    endif()
  endif()
endforeach()
set(ALNN_LAMMPS_SIZES ${found_sizes} CACHE STRING "Integers of LAMMPS: smallbig, bigbig or smallsmall (its option LAMMPS_SIZES)")
if(NOT ALNN_LAMMPS_SIZES MATCHES "^(smallbig|bigbig|smallsmall)$")
  alnn_refuse("smallbig, bigbig or smallsmall for ALNN_LAMMPS_SIZES, found '${ALNN_LAMMPS_SIZES}'")
endif()
set(LAMMPS_SIZES ${ALNN_LAMMPS_SIZES})

# ---- library: only the program lmp_alnn is linked with it -----------------------------------------
find_library(LAMMPS_LIBRARY NAMES lammps lammps_mpi liblammps.so.0 NO_DEFAULT_PATH
             HINTS "${ALNN_LAMMPS}" "${ALNN_LAMMPS}/lib" "${ALNN_LAMMPS}/lib64" "${ALNN_LAMMPS}/build" "${ALNN_LAMMPS}/src")

# ---- MPI: the one that LAMMPS was built with ------------------------------------------------------
option(ALNN_MPI_STUBS "LAMMPS was built without MPI" OFF)
if(ALNN_MPI_STUBS)
  set(MPI_INCLUDE_DIR "${LAMMPS_INCLUDE_DIR}/STUBS")
else()
  set(MPI_CXX_SKIP_MPICXX ON)
  find_package(MPI REQUIRED COMPONENTS CXX)
  set(MPI_INCLUDE_DIR ${MPI_CXX_INCLUDE_DIRS})
endif()

find_path(NLOHMANN_JSON_INCLUDE_DIR nlohmann/json.hpp)
if(NOT NLOHMANN_JSON_INCLUDE_DIR)
  alnn_refuse("nlohmann/json.hpp, found none: install nlohmann-json (Debian: nlohmann-json3-dev) or give its folder with "
              "-D NLOHMANN_JSON_INCLUDE_DIR")
endif()
message(STATUS "alnn: for LAMMPS ${LAMMPS_VERSION_NUMBER}, integers ${LAMMPS_SIZES}, headers ${LAMMPS_INCLUDE_DIR}, "
               "library ${LAMMPS_LIBRARY}, MPI ${MPI_INCLUDE_DIR}")
