"""Errors of a potential on labelled structures: numbers, tables, figures, and `alnn evaluate`."""
