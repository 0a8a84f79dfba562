"""Potentials of other packages, n2p2 (RuNNer) and ænet, read and written; `alnn convert`."""
