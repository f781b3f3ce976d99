"""The DNN instructions as the table names them: what each checks, what it costs, and what it has a platform do."""
