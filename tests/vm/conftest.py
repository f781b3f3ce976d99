"""Settings of the VM's tests."""

from __future__ import annotations

from hypothesis import settings

# The first example may have to wait for machine code to be compiled, and machines may be busy.
settings.register_profile("smartvm", deadline=None)
settings.load_profile("smartvm")
