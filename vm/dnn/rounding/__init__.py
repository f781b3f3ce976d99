"""Activations, correctly rounded: in float64 with a proven bound, in pairs of float64, in rising precision."""
