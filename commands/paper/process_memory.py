"""Peak memory of a process that calls a network's contract, and of one that runs the network in onnxruntime.

Both start from files on disk: the state with the uploaded weights, and the float model. The process that onnxruntime is
measured in imports nothing but NumPy and onnxruntime.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import smartvm
from smartvm.commands.paper import native
from smartvm.commands.paper.measurement import Measurement
from smartvm.commands.paper.subject import Subject

FIGURE = "Fig. 16-17"
_DEFINITION = (
    "peak memory (VmHWM) of a process of its own that calls the contract three times from the state on disk: Python, "
    "libraries, weights and maps; machine code is kept on disk from a run before"
)
_NATIVE = "the same of a process of NumPy and onnxruntime that runs the float32 model three times"

_HEAD = """
import json, sys
def memory():
    fields = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return int(fields["VmHWM"].split()[0])
"""

_OURS = (
    _HEAD
    + """
import smartvm
from smartvm.examples.networks.deployment import CALL_GAS
chain = smartvm.Chain(state=sys.argv[1])
address, data = sys.argv[2], open(sys.argv[3], "rb").read()
before = memory()
for _ in range(3):
    result = chain.transact(address, data, gas=CALL_GAS, keep=False)
    assert result.success, result.error
print(json.dumps({"start": before, "peak": memory(), "output": result.output.hex()}))
chain.close()
"""
)

_THEIRS = (
    _HEAD
    + """
import numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
before = memory()
session = onnxruntime.InferenceSession(sys.argv[1], options, ["CPUExecutionProvider"])
inputs = {"input": numpy.load(sys.argv[2])}
for _ in range(3):
    session.run(None, inputs)
print(json.dumps({"start": before, "peak": memory()}))
"""
)


def is_available() -> bool:
    """Whether the system tells a process's peak memory."""
    return Path("/proc/self/status").is_file()


def contract_process(subject: Subject, limit: int | None = None) -> dict[str, Any]:
    """KiB before the first call and at the peak, and the output, of a process that has nothing to compile; ``limit``:
    bytes of address space allowed.

    Raises SmartVMError when the process fails.
    """
    with tempfile.TemporaryDirectory() as name:
        calldata = Path(name) / "calldata"
        calldata.write_bytes(subject.calldata)
        arguments = ["-c", _OURS, str(subject.state), subject.address, str(calldata)]
        _printed(arguments, None)  # so that all machine code is kept: compiling it takes memory, once for a machine
        return _printed(arguments, limit)


def native_process(subject: Subject) -> dict[str, Any]:
    """KiB before the model is loaded and at the peak. Raises SmartVMError when the process fails."""
    import numpy as np
    import onnx
    from smartvm.examples.networks.onnx_model import float_input, onnx_model

    with tempfile.TemporaryDirectory() as name:
        model, picture = Path(name) / "model.onnx", Path(name) / "input.npy"
        onnx.save(onnx_model(subject.network, subject.parameters), str(model))
        np.save(picture, float_input(subject.network, subject.picture))
        return _printed(["-c", _THEIRS, str(model), str(picture)], None)


def _printed(arguments: list[str], limit: int | None) -> dict[str, Any]:
    def limited() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, preexec_fn=limited)
    if done.returncode:
        last = done.stderr.strip().splitlines() or ["no message"]
        raise smartvm.SmartVMError(f"the process that was to be measured failed: {last[-1]}")
    printed: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return printed


def process_memory(subject: Subject) -> Iterator[Measurement]:
    """Both sides' peaks."""
    network = subject.network.folder
    if not is_available():
        yield Measurement(FIGURE, network, "process, peak", None, "MiB", _DEFINITION, "this system tells none")
        return
    ours = contract_process(subject)["peak"] / 1024
    yield Measurement(FIGURE, network, "process, peak", ours, "MiB", _DEFINITION)
    if not native.is_available():
        yield Measurement(FIGURE, network, "native process, peak", None, "MiB", _NATIVE, native.MISSING)
        return
    theirs = native_process(subject)["peak"] / 1024
    yield Measurement(FIGURE, network, "native process, peak", theirs, "MiB", _NATIVE)
