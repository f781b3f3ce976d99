"""The subcommands of the smartvm command line, one module each."""
