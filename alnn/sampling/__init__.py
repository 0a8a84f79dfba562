"""A potential -> candidate structures, by the `mc` commands of the LAMMPS plugin."""
