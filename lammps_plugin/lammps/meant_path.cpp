#include "meant_path.h"

#include <algorithm>
#include <filesystem>

#include "utils.h"

namespace fs = std::filesystem;

namespace alnn {

namespace {

/// The only entry of `folder` that LAMMPS changes into `name`, or `name`. Throws
/// std::filesystem::filesystem_error.
fs::path meant_entry(const fs::path& folder, const fs::path& name) {
  if (fs::exists(folder / name)) return name;
  fs::path meant;
  int found = 0;
  for (const auto& entry : fs::directory_iterator(folder.empty() ? "." : folder)) {
    const fs::path there = entry.path().filename();
    if (LAMMPS_NS::utils::utf8_subst(there.string()) != name.string()) continue;
    meant = there;
    ++found;
  }
  return found == 1 ? meant : name;
}

}  // namespace

std::string meant_path(const std::string& name) {
  try {
    if (name.empty() || fs::exists(name)) return name;
    fs::path path;
    for (const fs::path& part : fs::path(name))
      path /= part.has_root_directory() ? part : meant_entry(path, part);
    return path.string();
  } catch (const fs::filesystem_error&) {
    return name;  // a folder that is missing or not to be read: opening the file will tell
  }
}

std::string meant_output(const std::string& name) {
  const fs::path path(name);
  return (fs::path(meant_path(path.parent_path().string())) / path.filename()).string();
}

std::string printable(const std::string& name) {
  std::string text = name;
  std::replace_if(text.begin(), text.end(), [](unsigned char c) { return c > 126; }, '?');
  return text;
}

}  // namespace alnn
