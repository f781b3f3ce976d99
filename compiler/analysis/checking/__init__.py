"""The type checker: types of all expressions, and whether statements and definitions are allowed."""
