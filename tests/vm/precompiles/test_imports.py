"""Libraries behind precompiled contracts are loaded when a program calls one."""

from __future__ import annotations

import subprocess
import sys


def test_a_program_without_precompiled_contracts_loads_no_curve_libraries() -> None:
    program = (
        "import sys\n"
        "from smartvm.vm.raw import run_raw\n"
        "run_raw(bytes.fromhex('6001600201'), b'', 10**6)\n"
        "libraries = ('coincurve', 'cryptography', 'py_arkworks_bls12381', 'gmpy2')\n"
        "print([name for name in libraries if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "[]", done.stderr
