"""Text to tree: the Lark grammars of Solidity and Yul and the parsers that build the syntax trees from
them."""
