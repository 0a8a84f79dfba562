// The door between alnnplugin.so and alnn_styles.so.
#ifndef ALNN_STYLES_H
#define ALNN_STYLES_H

extern "C" {

/// Registers the styles by the callback of LAMMPS' package PLUGIN; `handle` is that of alnnplugin.so.
__attribute__((visibility("default"))) void alnn_register_styles(void* lammps, void* handle, void* callback);

/// Puts the styles where LAMMPS has its own; for a LAMMPS without that package.
__attribute__((visibility("default"))) void alnn_put_styles(void* lammps);

/// Runs the script that LAMMPS was started with; 0, or 1 after an error of LAMMPS on all ranks.
__attribute__((visibility("default"))) int alnn_read_script(void* lammps);
}

#endif
