// The checksum that a potential file may state of itself.
#pragma once

#include <string>

#include "potential_file/node.hpp"

namespace alnn {

/// "checksum": "crc32:01234567" is the CRC of the whole file with these eight digits replaced by zeros and,
/// as editors on other systems change them, with line ends "\n" and without a byte order mark. Throws
/// PotentialError where the stated one is another; a file without the key passes.
void verify_checksum(const std::string& text, const Node& root);

}  // namespace alnn
