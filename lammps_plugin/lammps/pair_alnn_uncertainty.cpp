// The part of the pair style that fix pair asks: grade and spread of every atom.
#include <cstring>

#include "atom.h"
#include "error.h"
#include "pair_alnn.h"
#include "update.h"

using namespace LAMMPS_NS;

void* PairAlnn::extract(const char* what, int& dimensions) {
  dimensions = 0;
  if (std::strcmp(what, "grade_flag") == 0) return &uncertainty_.grade.flag;
  if (std::strcmp(what, "spread_flag") == 0) return &uncertainty_.spread.flag;
  return nullptr;
}

// Fix pair asks for the address when it is made, and at its steps for the values.
void* PairAlnn::extract_peratom(const char* what, int& columns) {
  columns = 0;
  const bool grade = std::strcmp(what, "grade") == 0, spread = std::strcmp(what, "spread") == 0;
  if (!grade && !spread) return nullptr;
  if (plan_) check_uncertainty(grade, spread);
  alnn::AskedQuantity& quantity = grade ? uncertainty_.grade : uncertainty_.spread;
  if (update->whichflag != 0 && quantity.step != update->ntimestep)
    error->all(
        FLERR,
        "pair_style alnn: expected fix pair to ask for {} beforehand, by the flag 1 after it, found the "
        "flag 0",
        what);
  return quantity.values.data();
}

void PairAlnn::check_uncertainty(bool grade, bool spread) const {
  if (grade && !plan_->potential.has_grade())
    error->all(FLERR,
               "pair_style alnn: grade: expected a potential file with training.grade, found none in it; "
               "train it again with this version of alnn");
  if (spread && plan_->potential.n_members() < 2)
    error->all(FLERR, "pair_style alnn: spread: expected a committee of networks, found one network");
}

void PairAlnn::begin_uncertainty() {
  batch_->keep_grade(uncertainty_.grade.flag);
  if (!uncertainty_.asked()) return;
  check_uncertainty(uncertainty_.grade.flag, uncertainty_.spread.flag);
  uncertainty_.begin(update->ntimestep, atom->nlocal, atom->nlocal + atom->nghost,
                     plan_->potential.n_members());
}

void PairAlnn::finish_uncertainty() {
  if (!uncertainty_.spread.flag) return;
  for (auto& forces : uncertainty_.member_forces) bring_home(forces, 3);
  uncertainty_.finish_spread(atom->nlocal, energy_unit_);
}
