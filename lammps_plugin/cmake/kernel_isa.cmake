# The hot loops (core/isa/*.cpp) once for each instruction set; core/dispatch.cpp chooses at run time.
file(GLOB isa_sources CONFIGURE_DEPENDS core/isa/*.cpp)
function(alnn_kernel isa width)
  string(REPLACE "-" "_" suffix ${isa})
  add_library(alnn_kernel_${suffix} OBJECT ${isa_sources})
  target_include_directories(alnn_kernel_${suffix} PRIVATE core)
  target_compile_definitions(alnn_kernel_${suffix} PRIVATE ALNN_KERNEL=kernel_${suffix} ALNN_ISA=isa_${suffix} ALNN_WIDTH=${width}
                                                           ALNN_ISA_NAME=${isa})
  set(optimise -O3)
  if(ALNN_SANITIZE)
    set(optimise -O1)  # with sanitizers -O3 compiles for minutes
  endif()
  # Contraction to fused multiply-adds is wanted here; -Wno-psabi: vectors never cross a module's border.
  target_compile_options(alnn_kernel_${suffix} PRIVATE ${optimise} -ffp-contract=fast -fno-math-errno -fno-trapping-math
                                                       -Wall -Wextra -Wno-psabi ${ARGN})
  target_sources(alnn_core PRIVATE $<TARGET_OBJECTS:alnn_kernel_${suffix}>)
endfunction()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  alnn_kernel(x86-64-v2 2 -march=x86-64-v2)
  alnn_kernel(x86-64-v3 4 -march=x86-64-v3)
  alnn_kernel(x86-64-v4 8 -march=x86-64-v4 -mprefer-vector-width=512)
  target_compile_definitions(alnn_core PRIVATE ALNN_X86_64)
else()
  alnn_kernel(generic 2)
endif()
