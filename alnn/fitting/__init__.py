"""`alnn train`: data of anybody in, a potential out, with what can be said of it."""
