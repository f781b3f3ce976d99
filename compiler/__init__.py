"""The compiler: Solidity and Yul in, EVM bytecode out.

Text flows one way: grammar -> ast -> analysis -> lowering -> yul -> backend; artifacts reads what they leave.
Never imports smartvm.vm."""
