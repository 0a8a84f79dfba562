"""A campaign: its settings, its files, and the loop from training through sampling and labels back to training."""
