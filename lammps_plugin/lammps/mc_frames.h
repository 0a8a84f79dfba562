// Structures of a chain as frames of an extended XYZ file.
#ifndef ALNN_MC_FRAMES_H
#define ALNN_MC_FRAMES_H

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "geometry.hpp"

namespace alnn {

/// One frame: positions in angstrom; in a periodic box relative to `origin` and wrapped into the box. `keys`
/// are the further words of the comment line, such as "energy=-1.5 cycle=10".
std::string extended_xyz(const std::vector<Vec3>& positions, const std::vector<int>& types,
                         const std::vector<std::string>& species, const Box& box, const Vec3& origin,
                         const std::string& keys);

/// A file that gets each frame or line in one write, so that a killed job leaves whole ones.
class OutputFile {
 public:
  /// Throws std::runtime_error if the file cannot be opened for writing.
  explicit OutputFile(const std::string& path);
  void write(const std::string& text);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace alnn

#endif
