"""The Solidity abstract syntax tree: immutable nodes, named as in solc's AST JSON."""
