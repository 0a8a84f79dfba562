// The LAMMPS command `mc`: Monte Carlo with the pair style of the input.
#ifndef ALNN_MC_H
#define ALNN_MC_H

#include <memory>
#include <string>

#include "command.h"
#include "mc/energy_model.hpp"
#include "mc_run.h"

namespace LAMMPS_NS {

/// `mc nvt NCYCLES T keywords`, `mc npt NCYCLES T P keywords`, `mc nested NCYCLES STAGE keywords` and `mc gc
/// NCYCLES T keywords`.
class Mc : public Command {
 public:
  explicit Mc(LAMMPS* lmp) : Command(lmp) {}
  void command(int narg, char** arg) override;

 private:
  void check_input() const;
  void sample(const alnn::McSettings& settings);
  void check_box(const alnn::McSettings& settings, const alnn::McRun& run) const;
  std::unique_ptr<alnn::OpenEnergyModel> energy_model(const alnn::McSettings& settings,
                                                      alnn::McRun& run) const;
  std::string why_not_local(const alnn::Box& box) const;
  double pressure_to_ev() const;
};

}  // namespace LAMMPS_NS

#endif
