#include "potential_file/checksum.hpp"

#include <array>
#include <cstdint>
#include <cstdio>

namespace alnn {

namespace {

// zlib's CRC-32 (polynomial 0xEDB88320), so that Python checks with zlib.crc32.
std::uint32_t crc32(const std::string& text) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> t{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t c = i;
      for (int k = 0; k < 8; ++k) c = (c & 1u) ? 0xEDB88320u ^ (c >> 1) : c >> 1;
      t[i] = c;
    }
    return t;
  }();
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const unsigned char byte : text) crc = table[(crc ^ byte) & 0xFFu] ^ (crc >> 8);
  return crc ^ 0xFFFFFFFFu;
}

/// Line ends of other systems made "\n"; no byte order mark.
std::string plain_text(const std::string& text) {
  std::string plain;
  plain.reserve(text.size());
  const std::size_t start = text.compare(0, 3, "\xEF\xBB\xBF") == 0 ? 3 : 0;
  for (std::size_t i = start; i < text.size(); ++i) {
    if (text[i] != '\r')
      plain += text[i];
    else if (i + 1 == text.size() || text[i + 1] != '\n')
      plain += '\n';
  }
  return plain;
}

}  // namespace

void verify_checksum(const std::string& text, const Node& root) {
  if (!root.has("checksum")) return;
  const std::string stated = root.at("checksum").text();
  std::string blanked = plain_text(text);
  const std::size_t at = blanked.rfind(stated);
  if (stated.size() != 14 || stated.compare(0, 6, "crc32:") != 0 || at == std::string::npos)
    root.at("checksum")
        .fail("expected \"crc32:\" and eight hexadecimal digits, found " + shown(root.at("checksum").value));
  blanked.replace(at + 6, 8, "00000000");
  char found[16];
  std::snprintf(found, sizeof found, "crc32:%08x", crc32(blanked));
  if (stated != found)
    root.at("checksum")
        .fail("the file was altered: it states " + stated + ", its content has " + found +
              " (remove the key \"checksum\" if the change is meant)");
}

}  // namespace alnn
