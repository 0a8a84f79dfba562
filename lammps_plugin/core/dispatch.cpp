// Which of the compiled kernels this machine runs.
#include <cstdlib>
#include <cstring>

#include "kernel.hpp"

namespace alnn {

#ifdef ALNN_X86_64
extern const Kernel kernel_x86_64_v2;
extern const Kernel kernel_x86_64_v3;
extern const Kernel kernel_x86_64_v4;

const Kernel* const* available_kernels(int* count) {
  static const Kernel* const all[] = {&kernel_x86_64_v2, &kernel_x86_64_v3, &kernel_x86_64_v4};
  __builtin_cpu_init();
  *count = 1;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    *count = 2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512cd"))
      *count = 3;
  }
  return all;
}
#else
extern const Kernel kernel_generic;

const Kernel* const* available_kernels(int* count) {
  static const Kernel* const all[] = {&kernel_generic};
  *count = 1;
  return all;
}
#endif

const Kernel& best_kernel() {
  int count = 0;
  const Kernel* const* all = available_kernels(&count);
  if (const char* wanted = std::getenv("ALNN_ISA"))
    for (int i = 0; i < count; ++i)
      if (std::strcmp(all[i]->name, wanted) == 0) return *all[i];
  return *all[count - 1];
}

}  // namespace alnn
