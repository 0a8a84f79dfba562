// The LAMMPS command `mc`: Monte Carlo with the pair style of the input.
#ifndef ALNN_MC_H
#define ALNN_MC_H

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "command.h"
#include "mc/block_average.hpp"
#include "mc/chain.hpp"
#include "mc/gc.hpp"
#include "mc/nested.hpp"
#include "mc_atoms.h"
#include "mc_frames.h"
#include "mc_settings.h"

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
  void check_box(const alnn::McSettings& settings, const alnn::Box& box) const;
  alnn::VolumeMoves volume_moves(const alnn::McSettings& settings) const;
  void sample_metropolis(const alnn::McSettings& settings, alnn::ChainState& state, alnn::Guards& guards,
                         alnn::EnergyModel& model);
  void sample_nested(const alnn::McSettings& settings, alnn::ChainState& state, alnn::Guards& guards,
                     alnn::EnergyModel& model);
  void check_gc(const alnn::McSettings& settings, const alnn::Box& box) const;
  alnn::GcSettings gc_settings(const alnn::McSettings& settings) const;
  void sample_gc(const alnn::McSettings& settings, alnn::ChainState& state, alnn::Guards& guards,
                 alnn::OpenEnergyModel& model);
  void report_gc(const alnn::GcSettings& settings, const alnn::GcResult& result) const;
  std::unique_ptr<alnn::OpenEnergyModel> energy_model(const alnn::McSettings& settings);
  std::string why_not_local() const;
  std::vector<std::string> species_names(const alnn::McSettings& settings) const;
  void open_dump(const alnn::McSettings& settings);
  std::unique_ptr<alnn::OutputFile> open(const std::string& path) const;
  void write(const std::unique_ptr<alnn::OutputFile>& file, const std::string& text) const;
  void write_frame(const alnn::ChainState& state, const std::string& keys);
  bool keep_going(std::int64_t cycle);
  void publish(const char* name, double value) const;
  void report_volume(const alnn::BlockAverage& volume) const;
  void report_end(const alnn::ChainState& state, double seconds) const;
  double to_ev() const;
  double pressure_to_ev() const;

  std::unique_ptr<alnn::McAtoms> atoms_;
  std::unique_ptr<alnn::OutputFile> dump_;  // of rank 0
  alnn::Box start_box_;
  alnn::Vec3 start_origin_;
  std::vector<std::string> species_;
  bool timed_out_ = false;
};

}  // namespace LAMMPS_NS

#endif
