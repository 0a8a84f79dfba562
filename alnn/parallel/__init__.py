"""Ranks, interruptions, progress, and files that a kill cannot leave half-written."""
