"""Write the weights of one of the big example networks: random ones of a fixed seed, the same every time.

    python examples/make_weights.py resnet18 resnet18.npz
    smartvm upload examples/resnet18/ResNet18.sol resnet18.npz --map resnet18.json --state net

Beside ``FILE.npz`` stands ``FILE.json``, which names the weight block of each array.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from smartvm.examples.networks import NETWORKS, network_named, parameters_of, places, sample_input


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("network", choices=sorted(NETWORKS))
    parser.add_argument("file", type=Path, metavar="FILE.npz")
    parser.add_argument(
        "--picture", type=Path, metavar="FILE.bin", help="write a random picture too, as `logits` takes it"
    )
    options = parser.parse_args()
    network = network_named(options.network)
    np.savez(options.file, allow_pickle=False, **parameters_of(network))
    ids = {name: {"id": place.first_id, "parts": place.parts} for name, place in places(network).items()}
    options.file.with_suffix(".json").write_text(json.dumps(ids, indent=1) + "\n")
    if options.picture:
        options.picture.write_bytes(sample_input(network).astype(">i2").tobytes())
    print(f"{network.name}: {network.weight_count:,} weights in {options.file}")


if __name__ == "__main__":
    main()
