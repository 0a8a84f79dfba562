"""Structures: checks, files of others, the pool, labels, neighbours."""

from alnn.structures.atoms import (
    DENSITY_UNIT,
    LARGEST_COORDINATE,
    SMALLEST_DISTANCE,
    alternating,
    cut_cluster,
    density,
    grow_cluster,
    is_connected,
    random_box,
    random_cluster,
    resize_cluster,
    scaled_to_density,
    smallest_distance,
    validate,
)

__all__ = [
    "DENSITY_UNIT",
    "LARGEST_COORDINATE",
    "SMALLEST_DISTANCE",
    "alternating",
    "cut_cluster",
    "density",
    "grow_cluster",
    "is_connected",
    "random_box",
    "random_cluster",
    "resize_cluster",
    "scaled_to_density",
    "smallest_distance",
    "validate",
]
