// How far a site is from what a network was fitted to: the leverage of what its last layer sees.
//
// With h the last hidden layer of the first member and g = (h, 1), sites of the training set have given
// A = sum g g^T. An energy that is linear in the last layer's weights has, up to the noise, the variance
// g^T A^-1 g: by D-optimality a site of a larger one than any of the training set's is an extrapolation. The
// grade is the square root in units of the training set's largest, |F g| with a lower triangular F: 1 is the
// edge.
#pragma once

#include <vector>

namespace alnn {

/// |F g| with F [n][n] and g = (hidden[0], hidden[stride], ..., 1) of n numbers.
double grade(const std::vector<double>& factor, const double* hidden, int stride);

}  // namespace alnn
