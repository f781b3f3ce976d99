"""Precompiled contracts, by fork."""
