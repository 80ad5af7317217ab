"""Writes tests/data/metric/efficientnet_lite0.npz: the features of EfficientNet-Lite0, with weights of a formula, as
the package efficientnet-lite-pytorch computes them.

Run with any Python that has torch, numpy and that package; the file is committed, so this is needed only to change it:
    python tests/data/make_feature_fixtures.py
With --check nothing is written, and the exit code says whether the package still gives the file's numbers.
"""

import argparse
import math
import sys
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet

FILE = Path(__file__).resolve().parent / "metric" / "efficientnet_lite0.npz"
SEED, NET = 7, "efficientnet-lite0"
HEIGHT, WIDTH = 72, 51  # odd numbers of rows and columns on the way
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # the package's documentation


def fnv1a(text):
    h = 14695981039346656037
    for byte in text.encode():
        h = (h ^ byte) * 1099511628211 % 2**64
    return h


def formula(key, shape):
    """tests/metric/formula_weights.h has the same."""
    n = math.prod(shape)
    with np.errstate(over="ignore"):
        z = np.uint64(fnv1a(f"{SEED}/{NET}/{key}")) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    u = (z >> np.uint64(11)).astype(np.float64) * 2.0**-53
    if key.endswith("running_var"):
        v = 0.75 + 0.75 * u
    elif key.endswith(("running_mean", "bias")):
        v = 0.2 * (2 * u - 1)
    elif len(shape) == 1:
        v = 0.75 + 0.5 * u
    else:
        v = (2 * u - 1) * math.sqrt(6 / math.prod(shape[1:]))
    return torch.tensor(v.astype(np.float32).reshape(shape))


def compute():
    network = EfficientNet.from_name(NET, image_size=[HEIGHT, WIDTH]).eval()
    network.load_state_dict({key: value if key.endswith("num_batches_tracked") else formula(key, tuple(value.shape))
                             for key, value in network.state_dict().items()})
    pixels = np.random.default_rng(1).integers(0, 256, (2, 3, HEIGHT, WIDTH), dtype=np.uint8)
    per_channel = [torch.tensor(v, dtype=torch.float64).view(1, 3, 1, 1) for v in (MEAN, DEVIATION)]
    x = (torch.tensor(pixels, dtype=torch.float64) / 255 - per_channel[0]) / per_channel[1]
    with torch.no_grad():
        return pixels, network.double().extract_features(x).mean((2, 3)).numpy()


def main():
    torch.set_num_threads(1)  # it is too little for more
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    pixels, features = compute()
    if not parser.parse_args().check:
        FILE.parent.mkdir(exist_ok=True)
        np.savez(FILE, pixels=pixels, features=features)
        return 0
    stored = np.load(FILE)
    same = np.array_equal(stored["pixels"], pixels) and np.allclose(stored["features"], features, rtol=1e-12, atol=1e-12)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
