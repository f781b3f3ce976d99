"""Yul: syntax tree, dialect, checks and printer; the readable interface between Solidity and the back end."""
