"""Solidity to Yul: a contract and its SemanticModel in, a Yul object out."""
