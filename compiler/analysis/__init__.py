"""Names, types and checks: a syntax tree in, a SemanticModel (what every name and expression means) out."""
