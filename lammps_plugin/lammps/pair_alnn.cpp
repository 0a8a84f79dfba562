#include "pair_alnn.h"

#include <cmath>
#include <cstring>
#include <fstream>
#include <sstream>

#include "absent_atoms.h"
#include "atom.h"
#include "comm.h"
#include "error.h"
#include "force.h"
#include "lammps_api.h"
#include "meant_path.h"
#include "memory.h"
#include "neigh_list.h"
#include "neighbor.h"
#include "potential_file/read.hpp"
#include "update.h"
#include "utils.h"

using namespace LAMMPS_NS;

PairAlnn::PairAlnn(LAMMPS* lmp) : Pair(lmp) {
  single_enable = 0;
  restartinfo = 0;  // as for all styles with a potential file: pair_coeff is given again after read_restart
  one_coeff = 1;
  manybody_flag = 1;
  no_virial_fdotr_compute = 1;
  centroidstressflag = CENTROID_NOTAVAIL;
  unit_convert_flag = utils::get_supported_conversions(utils::ENERGY);
  comm_reverse = comm_reverse_off = 9;
}

PairAlnn::~PairAlnn() {
  if (!allocated) return;
  memory->destroy(setflag);
  memory->destroy(cutsq);
}

void PairAlnn::allocate() {
  const int n = atom->ntypes + 1;
  memory->create(setflag, n, n, "pair:setflag");
  memory->create(cutsq, n, n, "pair:cutsq");
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) setflag[i][j] = 0;
  map = new int[n];
  allocated = 1;
}

void PairAlnn::settings(int narg, char** arg) {
  for (int i = 0; i < narg; i += 2) {
    if (std::strcmp(arg[i], "extrapolation") != 0)
      error->all(FLERR, "pair_style alnn: expected the keyword extrapolation, found {}", arg[i]);
    const std::string value = i + 1 < narg ? arg[i + 1] : "nothing";
    if (value == "ignore")
      extrapolation_ = Extrapolation::ignore;
    else if (value == "warn")
      extrapolation_ = Extrapolation::warn;
    else if (value == "stop")
      extrapolation_ = Extrapolation::stop;
    else
      error->all(FLERR, "pair_style alnn: expected ignore, warn or stop after extrapolation, found {}",
                 value);
  }
}

double PairAlnn::unit_of_energy() const {
  const std::string units = update->unit_style;
  if (units == "metal") return 1.0;
  if (units == "real") return utils::get_conversion_factor(utils::ENERGY, utils::METAL2REAL);
  error->all(FLERR, "pair_style alnn: expected units metal or real, found units {}", units);
  return 0.0;
}

// Read by one rank, sent to all.
std::string PairAlnn::read_potential(const std::string& name) {
  std::string text;
  int length = -1;
  if (comm->me == 0) {
    const std::string path = utils::get_potential_file_path(name);
    std::ifstream stream(path.empty() ? alnn::meant_path(name) : path, std::ios::binary);
    if (stream) {
      std::ostringstream whole;
      whole << stream.rdbuf();
      text = whole.str();
      length = static_cast<int>(text.size());
    }
  }
  MPI_Bcast(&length, 1, MPI_INT, 0, world);
  if (length < 0)
    error->all(FLERR, "pair_coeff: expected a readable potential file, found none at {}",
               alnn::printable(name));
  text.resize(length);
  MPI_Bcast(text.data(), length, MPI_CHAR, 0, world);
  return text;
}

void PairAlnn::map_types(const std::string& file, char** names) {
  const alnn::Potential& potential = plan_->potential;
  species_of_type_.assign(atom->ntypes + 1, -1);
  for (int type = 1; type <= atom->ntypes; ++type) {
    const std::string name = names[type - 1];
    if (name == "NULL") continue;
    species_of_type_[type] = potential.species_index(name);
    if (species_of_type_[type] >= 0) continue;
    std::string known;
    for (const auto& element : potential.elements) known += " " + element.name;
    error->all(FLERR, "pair_coeff: species {} of type {} is not in {}, which knows:{}", name, type, file,
               known);
  }
  name_elements();
  for (int i = 1; i <= atom->ntypes; ++i) {
    map[i] = species_of_type_[i];
    for (int j = i; j <= atom->ntypes; ++j)
      setflag[i][j] = species_of_type_[i] >= 0 && species_of_type_[j] >= 0 ? 1 : 0;
  }
}

// LAMMPS' own arrays of a many-body style, where other commands look for the names of the types.
void PairAlnn::name_elements() {
  for (int i = 0; i < nelements; ++i) delete[] elements[i];
  delete[] elements;
  nelements = plan_->n_species();
  elements = new char*[nelements];
  for (int i = 0; i < nelements; ++i) elements[i] = utils::strdup(plan_->potential.elements[i].name);
}

void PairAlnn::coeff(int narg, char** arg) {
  if (!allocated) allocate();
  if (narg != 3 + atom->ntypes)
    error->all(
        FLERR,
        "pair_coeff: expected * * FILE and {} species (one for each atom type), found {} word(s) after * *",
        atom->ntypes, std::max(0, narg - 2));
  if (std::strcmp(arg[0], "*") != 0 || std::strcmp(arg[1], "*") != 0)
    error->all(FLERR, "pair_coeff: expected * * FILE SPECIES..., found {} {} first", arg[0], arg[1]);
  energy_unit_ = unit_of_energy();
  const std::string text = read_potential(arg[2]), file = alnn::printable(arg[2]);
  try {
    plan_ = std::make_shared<alnn::Plan>(alnn::parse_potential(text, file));
  } catch (const alnn::PotentialError& e) {
    error->all(FLERR, "{}", e.what());
  }
  map_types(file, arg + 3);
  batch_ = std::make_unique<alnn::SiteBatch>(plan_);
  batch_->count_extrapolations(extrapolation_ != Extrapolation::ignore);
  warned_ = false;
}

void PairAlnn::init_style() {
  if (!plan_) error->all(FLERR, "pair_style alnn: expected a pair_coeff command before the run, found none");
  check_baseline();
  alnn::api::request_full_list(*neighbor, this, instance_me);
  if (comm->me == 0 && alnn::excludes_neighbors(lmp, species_of_type_))
    error->warning(
        FLERR,
        "pair_style alnn: neigh_modify exclude hides atoms from others, whose energy is then that of "
        "what is left around them (atoms excluded from group all are absent)");
}

// A potential that is the rest to a baseline is not one by itself.
void PairAlnn::check_baseline() const {
  const auto& lines = plan_->potential.baseline;
  if (lines.empty() || utils::strmatch(force->pair_style, "^hybrid/overlay")) return;
  error->all(
      FLERR,
      "pair_style alnn: expected pair_style hybrid/overlay with the potential's baseline ({}), found {}",
      lines[0], force->pair_style);
}

double PairAlnn::init_one(int i, int j) {
  if (setflag[i][j] == 0)
    error->all(FLERR, "pair_style alnn: types {} and {} have no species; see pair_coeff", i, j);
  return plan_->potential.cutoff;
}

void PairAlnn::compute(int eflag, int vflag) {
  ev_init(eflag, vflag);
  own_width_ = force->newton_pair ? 0 : (vflag_atom ? 9 : 3);
  own_.assign(static_cast<std::size_t>(own_width_) * (atom->nlocal + atom->nghost), 0.0);
  begin_uncertainty();
  const int* type = atom->type;
  const alnn::AbsentAtoms absent = alnn::absent_atoms(lmp, species_of_type_);
  for (int species = 0; species < plan_->n_species(); ++species) {
    batch_->start(species);
    batch_atoms_.clear();
    for (int ii = 0; ii < list->inum; ++ii) {
      const int i = list->ilist[ii];
      if (species_of_type_[type[i]] != species) continue;
      if (absent.any && absent.has(atom->mask[i], type[i])) continue;
      gather(i);
      if (batch_->full()) evaluate_batch();
    }
    evaluate_batch();
  }
  if (!force->newton_pair) return_ghost_forces();
  finish_uncertainty();
}

void PairAlnn::gather(int i) {
  double** x = atom->x;
  const int* type = atom->type;
  const int* species = species_of_type_.data();
  const double xi = x[i][0], yi = x[i][1], zi = x[i][2];
  const int* neighbors = list->firstneigh[i];
  batch_->add_site();
  batch_atoms_.push_back(i);
  const double smallest =
      batch_->add_within_cutoff(list->numneigh[i], [=](int jj) -> alnn::SiteBatch::Neighbor {
        const int j = neighbors[jj] & NEIGHMASK;
        return {x[j][0] - xi, x[j][1] - yi, x[j][2] - zi, species[type[j]], j};
      });
  if (smallest < 1e-12) refuse_same_place(i);
}

void PairAlnn::refuse_same_place(int i) {
  double** x = atom->x;
  for (int jj = 0; jj < list->numneigh[i]; ++jj) {
    const int j = list->firstneigh[i][jj] & NEIGHMASK;
    const double dx = x[j][0] - x[i][0], dy = x[j][1] - x[i][1], dz = x[j][2] - x[i][2];
    if (dx * dx + dy * dy + dz * dz < 1e-12)
      error->one(FLERR, "pair_style alnn: expected atoms apart, found atoms {} and {} at the same place",
                 atom->tag ? atom->tag[i] : i, atom->tag ? atom->tag[j] : j);
  }
}

void PairAlnn::evaluate_batch() {
  if (batch_atoms_.empty()) return;
  batch_->evaluate(true);
  for (std::size_t site = 0; site < batch_atoms_.size(); ++site)
    scatter(static_cast<int>(site), batch_atoms_[site]);
  if (batch_->extrapolating_sites() > 0 && !warned_) report_extrapolation();
  if (uncertainty_.asked()) uncertainty_.add(*batch_, batch_atoms_);
  const int species = species_of_type_[atom->type[batch_atoms_[0]]];
  batch_atoms_.clear();
  batch_->start(species);
}

void PairAlnn::scatter(int site, int i) {
  const double unit = energy_unit_;
  if (eflag_either) {
    const double energy = unit * batch_->energy(site);
    if (eflag_global) eng_vdwl += energy;
    if (eflag_atom) eatom[i] += energy;
  }
  double** f = atom->f;
  double* own = own_width_ ? own_.data() : nullptr;
  const int n = batch_->n_neighbors(site);
  double fi[3] = {0.0, 0.0, 0.0};
  for (int jj = 0; jj < n; ++jj) {
    const int j = batch_->tag(site, jj);
    const alnn::Vec3 gradient = batch_->gradient(site, jj);
    const double g[3] = {unit * gradient.x, unit * gradient.y, unit * gradient.z};
    double* fj = own ? own + static_cast<std::size_t>(own_width_) * j : f[j];
    for (int x = 0; x < 3; ++x) fi[x] += g[x], fj[x] -= g[x];
    if (!vflag_either) continue;
    const alnn::Vec3 d = batch_->vector(site, jj);
    const double v[6] = {-d.x * g[0], -d.y * g[1], -d.z * g[2], -d.x * g[1], -d.x * g[2], -d.y * g[2]};
    if (vflag_global)
      for (int k = 0; k < 6; ++k) virial[k] += v[k];
    if (!vflag_atom) continue;
    double* vj = own ? own + static_cast<std::size_t>(own_width_) * j + 3 : vatom[j];
    for (int k = 0; k < 6; ++k) vatom[i][k] += 0.5 * v[k], vj[k] += 0.5 * v[k];
  }
  for (int x = 0; x < 3; ++x) f[i][x] += fi[x];
}

// Adds what ghost atoms have got to the atoms themselves; `width` numbers an atom.
void PairAlnn::bring_home(std::vector<double>& values, int width) {
  sent_ = &values, sent_width_ = width;
  alnn::api::reverse_comm(*comm, this, width);
}

void PairAlnn::return_ghost_forces() {
  bring_home(own_, own_width_);
  for (int i = 0; i < atom->nlocal; ++i) {
    const double* own = &own_[static_cast<std::size_t>(own_width_) * i];
    for (int x = 0; x < 3; ++x) atom->f[i][x] += own[x];
    if (vflag_atom)
      for (int k = 0; k < 6; ++k) vatom[i][k] += own[3 + k];
  }
}

int PairAlnn::pack_reverse_comm(int n, int first, double* buf) {
  const auto begin = sent_->begin() + static_cast<std::ptrdiff_t>(sent_width_) * first;
  std::copy(begin, begin + static_cast<std::ptrdiff_t>(sent_width_) * n, buf);
  return sent_width_ * n;
}

void PairAlnn::unpack_reverse_comm(int n, int* list, double* buf) {
  for (int i = 0; i < n; ++i)
    for (int k = 0; k < sent_width_; ++k)
      (*sent_)[static_cast<std::size_t>(sent_width_) * list[i] + k] += *buf++;
}

// The first value outside, which is one of the present batch.
std::string PairAlnn::describe_outside() const {
  const alnn::SiteBatch::Outside& outside = batch_->first_outside();
  const alnn::Element& element = plan_->potential.elements[outside.species];
  const int i = batch_atoms_[outside.site];
  return fmt::format(
      "pair_style alnn: extrapolation at step {}: atom {}, function {} ({}) of species {} is {:.8g}, outside "
      "its "
      "training range {:.8g} .. {:.8g}",
      update->ntimestep, atom->tag_enable ? atom->tag[i] : i + 1, outside.function,
      alnn::describe(element.functions[outside.function], plan_->potential), element.name, outside.value,
      element.scaling.min[outside.function], element.scaling.max[outside.function]);
}

// For the first time (warn) or at once (stop).
void PairAlnn::report_extrapolation() {
  if (extrapolation_ == Extrapolation::stop) error->one(FLERR, "{}", describe_outside());
  error->warning(FLERR, "{} (said once{})", describe_outside(),
                 alnn::api::has_finish ? "; totals follow at the end of the run" : "");
  warned_ = true;
}

// End of a run: totals over all ranks.
void PairAlnn::finish() {
  if (!batch_ || extrapolation_ == Extrapolation::ignore) return;
  long mine = batch_->extrapolating_sites(), total = 0;
  MPI_Allreduce(&mine, &total, 1, MPI_LONG, MPI_SUM, world);
  if (total > 0 && comm->me == 0)
    error->warning(FLERR, "pair_style alnn: {} site evaluations of this run were outside the training range",
                   total);
  batch_->reset_extrapolations();
  warned_ = false;
}

double PairAlnn::memory_usage() {
  return Pair::memory_usage() + static_cast<double>(own_.capacity()) * sizeof(double);
}
