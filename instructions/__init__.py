"""The instruction table: loads and checks TOML tables; the one source of what an instruction is."""
