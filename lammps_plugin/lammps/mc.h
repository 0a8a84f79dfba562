// The LAMMPS command `mc`: Monte Carlo with the pair style of the input.
#ifndef ALNN_MC_H
#define ALNN_MC_H

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "command.h"
#include "mc/chain.hpp"
#include "mc/nested.hpp"
#include "mc_atoms.h"
#include "mc_frames.h"
#include "mc_settings.h"

namespace LAMMPS_NS {

/// `mc nvt NCYCLES T keywords` and `mc nested NCYCLES STAGE keywords`.
class Mc : public Command {
 public:
  explicit Mc(LAMMPS* lmp) : Command(lmp) {}
  void command(int narg, char** arg) override;

 private:
  void check_input() const;
  void sample(const alnn::McSettings& settings);
  void sample_nvt(const alnn::McSettings& settings, alnn::ChainState& state, alnn::Guards& guards,
                  alnn::EnergyModel& model);
  void sample_nested(const alnn::McSettings& settings, alnn::ChainState& state, alnn::Guards& guards,
                     alnn::EnergyModel& model);
  std::unique_ptr<alnn::EnergyModel> energy_model(const alnn::McSettings& settings);
  std::string why_not_local() const;
  std::vector<std::string> species_names(const alnn::McSettings& settings) const;
  void open_dump(const alnn::McSettings& settings);
  void write_frame(const alnn::ChainState& state, const std::string& keys);
  bool keep_going(std::int64_t cycle);
  void report_end(const alnn::ChainState& state, const alnn::MoveCounts& counts, double seconds);
  double to_ev() const;

  std::unique_ptr<alnn::McAtoms> atoms_;
  std::unique_ptr<alnn::FrameFile> dump_;  // of rank 0
  std::vector<std::string> species_;
  bool timed_out_ = false;
};

}  // namespace LAMMPS_NS

#endif
