"""Contracts to learn from and to measure, above all the five networks of the SmartVM paper."""
