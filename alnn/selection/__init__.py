"""Structures -> those most worth a label: farthest points, leverage, variance; `alnn select`."""
