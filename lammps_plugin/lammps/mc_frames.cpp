#include "mc_frames.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace alnn {

namespace {

template <class... Numbers>
std::string print(const char* format, Numbers... numbers) {
  char text[512];
  std::snprintf(text, sizeof text, format, numbers...);
  return text;
}

Vec3 wrapped(Vec3 p, const Box& box) {
  if (box.periodic[2]) {
    const double n = std::floor(p.z / box.lz);
    p = p - n * Vec3{box.xz, box.yz, box.lz};
  }
  if (box.periodic[1]) {
    const double n = std::floor(p.y / box.ly);
    p = p - n * Vec3{box.xy, box.ly, 0.0};
  }
  if (box.periodic[0]) p.x -= std::floor(p.x / box.lx) * box.lx;
  return p;
}

}  // namespace

std::string extended_xyz(const std::vector<Vec3>& positions, const std::vector<int>& types,
                         const std::vector<std::string>& species, const Box& box, const Vec3& origin,
                         const std::string& keys) {
  std::string frame = std::to_string(positions.size()) + "\n";
  const bool periodic = box.any_periodic();
  if (periodic)
    frame += print("Lattice=\"%.17g 0 0 %.17g %.17g 0 %.17g %.17g %.17g\" ", box.lx, box.xy, box.ly, box.xz,
                   box.yz, box.lz);
  frame += "Properties=species:S:1:pos:R:3 ";
  if (!keys.empty()) frame += keys + " ";
  frame += print("pbc=\"%c %c %c\"\n", box.periodic[0] ? 'T' : 'F', box.periodic[1] ? 'T' : 'F',
                 box.periodic[2] ? 'T' : 'F');
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const Vec3 p = periodic ? wrapped(positions[i] - origin, box) : positions[i];
    frame += species[types[i]] + print(" %.12f %.12f %.12f\n", p.x, p.y, p.z);
  }
  return frame;
}

OutputFile::OutputFile(const std::string& path) : path_(path), file_(std::fopen(path.c_str(), "w")) {
  if (!file_)
    throw std::runtime_error("expected to write the file " + path_ + ", found: " + std::strerror(errno));
  std::setvbuf(file_.get(), nullptr, _IONBF, 0);
}

void OutputFile::write(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size())
    throw std::runtime_error("expected to write to " + path_ + ", found: " + std::strerror(errno));
}

}  // namespace alnn
