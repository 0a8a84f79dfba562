"""`alnn compare`: what active learning is worth, beside training sets of the same size made without it."""
