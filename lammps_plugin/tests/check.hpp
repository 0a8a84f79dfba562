// What the C++ tests check with, and how they end.
#pragma once

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

inline int failures = 0;

inline void expect(bool holds, const std::string& what) {
  if (holds) return;
  ++failures;
  std::printf("FAILED: %s\n", what.c_str());
}

inline void expect_near(double found, double expected, double tolerance, const std::string& what) {
  char text[160];
  std::snprintf(text, sizeof text, ": expected %.10g within %.3g, found %.10g", expected, tolerance, found);
  expect(std::fabs(found - expected) <= tolerance, what + text);
}

/// Exit status of a test program, which says how it went.
inline int ended() {
  std::printf(failures ? "%d failures\n" : "all passed\n", failures);
  return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
