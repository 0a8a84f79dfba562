// Paths that are not plain ASCII.
#ifndef ALNN_MEANT_PATH_H
#define ALNN_MEANT_PATH_H

#include <string>

namespace alnn {

/// LAMMPS changes characters beyond ASCII before a command sees its words: some become ASCII, of the others
/// the first byte is lost (utils::utf8_subst). The path on disk that `name` was before: where a folder or
/// file of that name does not exist, the only one there whose name is changed into it. `name` itself if there
/// is none or more than one.
std::string meant_path(const std::string& name);

/// The same for a file to be written: its folder is sought, its own name is taken as it is.
std::string meant_output(const std::string& name);

/// For messages: what is no ASCII as '?', since half a character cannot be printed.
std::string printable(const std::string& name);

}  // namespace alnn

#endif
