// The words of a command line, and what is said about those that do not fit.
#ifndef ALNN_MC_WORDS_H
#define ALNN_MC_WORDS_H

#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

namespace alnn {

/// A sentence for the user: what was expected, what was found.
struct McSyntaxError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

[[noreturn]] inline void refuse(const std::string& expected, const std::string& found) {
  throw McSyntaxError("mc: expected " + expected + ", found " + found);
}

inline std::string quoted(const std::string& word) { return "'" + word + "'"; }

inline bool reads_as_number(const std::string& word) {
  char* end = nullptr;
  std::strtod(word.c_str(), &end);
  return !word.empty() && *end == '\0';
}

/// The words of one command line, taken one by one.
class Words {
 public:
  explicit Words(const std::vector<std::string>& words) : words_(words) {}

  bool empty() const { return next_ == words_.size(); }
  std::size_t left() const { return words_.size() - next_; }
  const std::string& peek(std::size_t ahead) const { return words_[next_ + ahead]; }

  const std::string& take(const std::string& what) {
    if (empty()) refuse(what, "the end of the command");
    return words_[next_++];
  }

  double number(const std::string& what) {
    const std::string& word = take(what);
    const double value = reads_as_number(word) ? std::atof(word.c_str()) : NAN;
    if (!std::isfinite(value)) refuse(what, quoted(word));
    return value;
  }

  double positive(const std::string& what) {
    const double value = number(what);
    if (value <= 0.0) refuse(what, quoted(words_[next_ - 1]));
    return value;
  }

  std::int64_t whole(const std::string& what, std::int64_t smallest) {
    const std::string& word = take(what);
    char* end = nullptr;
    errno = 0;
    const long long value = std::strtoll(word.c_str(), &end, 10);
    if (word.empty() || *end != '\0' || errno != 0 || value < smallest) refuse(what, quoted(word));
    return value;
  }

  bool yes(const std::string& what) {
    const std::string& word = take(what);
    if (word != "yes" && word != "no") refuse(what, quoted(word));
    return word == "yes";
  }

 private:
  const std::vector<std::string>& words_;
  std::size_t next_ = 0;
};

}  // namespace alnn

#endif
