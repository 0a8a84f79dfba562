// pair_style alnn [extrapolation ignore|warn|stop]
// pair_coeff * * FILE.alnn SPECIES...        one species a type, NULL for types of another style (hybrid)
#ifndef ALNN_PAIR_ALNN_H
#define ALNN_PAIR_ALNN_H

#include <memory>
#include <string>
#include <vector>

#include "atom_uncertainty.h"
#include "pair.h"
#include "site_batch.hpp"

namespace LAMMPS_NS {

class PairAlnn : public Pair {
 public:
  explicit PairAlnn(LAMMPS* lmp);
  ~PairAlnn() override;

  void settings(int narg, char** arg) override;
  void coeff(int narg, char** arg) override;
  void init_style() override;
  double init_one(int i, int j) override;
  void compute(int eflag, int vflag) override;
  void finish();  // overrides where LAMMPS has it: lammps_api.h
  /// "grade_flag" and "spread_flag": set to 1, the next force evaluation computes that quantity too.
  void* extract(const char* what, int& dimensions) override;
  /// "grade", no unit; "spread", the input's unit of force.
  void* extract_peratom(const char* what, int& columns);  // overrides where LAMMPS has it
  int pack_reverse_comm(int n, int first, double* buf) override;
  void unpack_reverse_comm(int n, int* list, double* buf) override;
  double memory_usage() override;

  /// The potential in use; null before pair_coeff.
  std::shared_ptr<const alnn::Plan> plan() const { return plan_; }
  /// Species index of LAMMPS types 1..ntypes; -1 where this style has no part.
  const std::vector<int>& species_of_type() const { return species_of_type_; }
  /// Factor from eV to the energy unit of the input.
  double energy_unit() const { return energy_unit_; }
  /// Whether the user wants to hear of extrapolation.
  bool heeds_extrapolation() const { return extrapolation_ != Extrapolation::ignore; }

 private:
  enum class Extrapolation { ignore, warn, stop };

  void allocate();
  std::string read_potential(const std::string& name);
  double unit_of_energy() const;
  void map_types(const std::string& file, char** names);
  void name_elements();
  void check_baseline() const;
  void gather(int i);
  void refuse_same_place(int i);
  void evaluate_batch();
  void scatter(int site, int i);
  void report_extrapolation();
  std::string describe_outside() const;
  void return_ghost_forces();
  void bring_home(std::vector<double>& values, int width);
  void begin_uncertainty();
  void finish_uncertainty();
  void check_uncertainty(bool grade, bool spread) const;

  std::shared_ptr<const alnn::Plan> plan_;
  std::unique_ptr<alnn::SiteBatch> batch_;
  std::vector<int> species_of_type_, batch_atoms_;
  double energy_unit_ = 1.0;
  Extrapolation extrapolation_ = Extrapolation::warn;
  bool warned_ = false;

  // Where forces and per-atom virials go: LAMMPS' own arrays with newton on; with newton off LAMMPS does not
  // bring the parts of ghost atoms home, so they are collected here and sent by this style itself.
  std::vector<double> own_;
  int own_width_ = 0;
  std::vector<double>* sent_ = &own_;  ///< what reverse communication sums
  int sent_width_ = 0;

  alnn::AtomUncertainty uncertainty_;
};

}  // namespace LAMMPS_NS

#endif
