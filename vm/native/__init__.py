"""The compiled part of the machine: one LLVM module that holds the interpreter and what it calls.

``emit`` is a thin layer over llvmlite's IR builder, ``layout`` the memory that Python and compiled code
share, the ``bodies_…`` modules hold what each instruction does, once for all tiers, ``build`` makes the
module of them and ``jit`` compiles it: these need LLVM. ``machine_code`` keeps what was compiled on disk, and
``object_code`` loads it without LLVM.
"""
