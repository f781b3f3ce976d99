"""What a compilation reports beside bytecode, one module each: ABI, storage layout, AST JSON, metadata ..."""
