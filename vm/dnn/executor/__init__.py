"""Executes DNN instructions inside the compiled interpreter, without leaving to Python; whatever it cannot do exactly
it leaves to the kernels, with nothing changed."""
