"""Accuracy on the held-out digits: trained floats beside the contract's integers."""

from __future__ import annotations

import numpy as np
import smartvm
from rich.console import Console
from rich.progress import track
from smartvm.examples.networks.digits import Labels, Pictures


def print_accuracy(
    contract: smartvm.Contract, pictures: Pictures, labels: Labels, of_floats: Labels, console: Console
) -> None:
    """Classify all pictures on chain; print the share right by floats and on chain, and how many are alike."""
    progress = track(pictures, "classifying on chain", console=console, transient=True)
    of_contract = np.array([contract.classify(picture.reshape(-1)) for picture in progress])
    console.print(f"{len(labels)} held-out digits")
    for name, digits in (("float", of_floats), ("on chain, integers", of_contract)):
        right = int((digits == labels).sum())
        console.print(f"accuracy, {name}: {right / len(labels):.2%} ({right} right)")
    console.print(f"same digit in {int((of_floats == of_contract).sum())} of {len(labels)}")
