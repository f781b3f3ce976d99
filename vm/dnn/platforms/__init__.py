"""Where the heavy instructions are computed: the dispatcher, the platforms that it chooses from, and their kernels."""
