# (filled with the kernel)
