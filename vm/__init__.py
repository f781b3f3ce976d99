"""The reference EVM: executes bytecode by the instruction table. Never imports smartvm.compiler."""
