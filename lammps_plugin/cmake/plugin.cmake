# alnnplugin.so, which LAMMPS loads, and alnn_styles.so, which it loads if this is the LAMMPS that it was built for.
function(alnn_lammps_module name)
  add_library(${name} MODULE ${ARGN})
  set_target_properties(${name} PROPERTIES PREFIX "" SUFFIX ".so" SKIP_BUILD_RPATH ON)
  string(TOUPPER ${LAMMPS_SIZES} sizes)
  target_compile_definitions(${name} PRIVATE LAMMPS_${sizes} OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)
  target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_include_directories(${name} SYSTEM PRIVATE ${LAMMPS_INCLUDE_DIR} ${MPI_INCLUDE_DIR})
  # LAMMPS prints __FILE__ with an error: the path within the project, not that of the build machine.
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wno-unused-parameter -fmacro-prefix-map=${CMAKE_CURRENT_SOURCE_DIR}/=)
endfunction()

# Loads into any LAMMPS: linked with neither LAMMPS nor MPI.
alnn_lammps_module(alnnplugin loader/alnnplugin.cpp loader/built_for.cpp loader/lammps_build.cpp)
target_compile_definitions(alnnplugin PRIVATE ALNN_LAMMPS_VERSION="${LAMMPS_VERSION_NUMBER}" ALNN_LAMMPS_SIZES="${LAMMPS_SIZES}")
target_link_libraries(alnnplugin PRIVATE ${CMAKE_DL_LIBS})

file(GLOB style_sources CONFIGURE_DEPENDS lammps/*.cpp)
alnn_lammps_module(alnn_styles ${style_sources})
target_link_libraries(alnn_styles PRIVATE alnn_core)

if(NOT ALNN_LAMMPS)
  # With libraries of these names, which the wheel loads as well, the styles come in even where a program keeps LAMMPS' symbols
  # to itself. A LAMMPS of one's own may be a program alone: it shows the symbols itself.
  target_link_libraries(alnn_styles PRIVATE ${LAMMPS_LIBRARY} ${MPI_LIBRARY})
  target_link_options(alnn_styles PRIVATE -Wl,--no-undefined)
  install(TARGETS alnnplugin alnn_styles LIBRARY DESTINATION alnn)
elseif(LAMMPS_LIBRARY)
  # For a LAMMPS library without the package PLUGIN: its program, with the styles.
  add_executable(lmp_alnn loader/lmp_alnn.cpp)
  set_target_properties(lmp_alnn PROPERTIES BUILD_RPATH "$ORIGIN")
  target_include_directories(lmp_alnn SYSTEM PRIVATE ${LAMMPS_INCLUDE_DIR})
  target_link_libraries(lmp_alnn PRIVATE ${LAMMPS_LIBRARY} ${CMAKE_DL_LIBS})
  add_dependencies(lmp_alnn alnnplugin alnn_styles)
endif()
