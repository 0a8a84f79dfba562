"""Properties of a bulk liquid from simulations with any potential, a module each."""
