"""Test sets labelled by the reference: what to make, how, and `alnn testset`."""
