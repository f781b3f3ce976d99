"""The compiled part of the machine: one LLVM module that holds the interpreter and what it calls.

``emit`` is a thin layer over llvmlite's IR builder, ``layout`` the memory that Python and compiled code
share, the ``bodies_…`` modules hold what each instruction does, once for all tiers, ``build`` makes the
module of them, ``jit`` compiles and caches it.
"""
