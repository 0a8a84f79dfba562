// From the text of a potential file (*.alnn) to a Potential.
#pragma once

#include <string>

#include "potential.hpp"

namespace alnn {

/// Parse the text of a potential file; `where` names it in messages. Throws PotentialError.
Potential parse_potential(const std::string& text, const std::string& where);
/// Descriptors alone (no networks): {"species": [...], "descriptors": {...}}; networks and scaling stay
/// empty.
Potential parse_descriptors(const std::string& text, const std::string& where);
/// Repulsion alone: {"species": [...], "repulsion": {...}}.
Repulsion parse_repulsion(const std::string& text, const std::string& where);

}  // namespace alnn
