"""A potential and its training set -> how wrong it may be about a structure that it has not seen."""
