// What LAMMPS' mc asks of an energy that it updates site by site.
#pragma once

#include "mc/energy_model.hpp"

namespace alnn {

class LocalModel : public OpenEnergyModel {
 public:
  /// Sites of the present state at which a function is outside the range of the training.
  virtual int extrapolating_sites() const = 0;
};

}  // namespace alnn
