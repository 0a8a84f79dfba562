// The umbrella potential on the size of a cluster.
#ifndef ALNN_MC_UMBRELLA_H
#define ALNN_MC_UMBRELLA_H

#include <map>
#include <string>
#include <vector>

namespace alnn {

/// U by size from lines "size U" (k_B T); blank lines and what follows a # are skipped. `name` is said in
/// errors. Throws std::invalid_argument.
std::map<int, double> parse_umbrella(const std::string& text, const std::string& name);

/// U(low) ... U(high): linear between the sizes that are given, constant beyond them, 0 if there are none.
std::vector<double> interpolated_umbrella(const std::map<int, double>& given, int low, int high);

}  // namespace alnn

#endif
