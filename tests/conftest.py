"""For all tests: nothing is taken from the user's cache of compiled sources, and compilers start no processes, unless a
test asks for it."""

from __future__ import annotations

import os

os.environ["SMARTVM_COMPILE_CACHE"] = "off"
os.environ["SMARTVM_JOBS"] = "1"
