"""Optimisations from Yul object to Yul object, each in a module of its own."""
