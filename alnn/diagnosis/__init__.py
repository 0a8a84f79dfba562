"""What went wrong in a run: where it left what a potential knows, and what it came to."""
