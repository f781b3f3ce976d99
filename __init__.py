"""smartvm: a Solidity and Yul compiler and an EVM that share one configurable instruction table."""
