"""Machine code for kernels and handlers: made by Numba where it is missing, kept on disk, loaded without Numba."""
