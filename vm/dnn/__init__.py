"""The DNN instructions: Buffers, weight blocks, and exact integer kernels, as spec'd in docs/dnn-instructions.md."""
