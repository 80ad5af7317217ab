"""Files of torsor's classifiers, for tests."""
import json

import pytest

numpy = pytest.importorskip("numpy")


def classifier(path, seed=0, channels=3, side=8, width=2, classes=2):
    """A file as `torsor reproduce` leaves it, of random weights."""
    stored = pytest.importorskip("safetensors.numpy")
    draw = numpy.random.default_rng(seed)
    shape = {"0": (width, channels, 3, 3), "3": (width, width, 4, 4), "6": (2 * width, width, 3, 3),
             "9": (2 * width, 2 * width, 4, 4), "12": (4 * width, 2 * width, side // 4, side // 4)}
    tensors = {}
    for index, of in shape.items():
        tensors[f"model.{index}.weight"] = draw.normal(0, 0.5, of)
        norm = int(index) + 1
        for name, value in (("weight", 1), ("bias", 0), ("running_mean", 0), ("running_var", 1)):
            tensors[f"model.{norm}.{name}"] = numpy.full(of[0], value)
        tensors[f"model.{norm}.num_batches_tracked"] = numpy.array(0)
    tensors["model.16.weight"] = draw.normal(0, 0.5, (classes, 4 * width, 1, 1))
    tensors["model.16.bias"] = numpy.zeros(classes)
    kinds = {name: "int64" if name.endswith("tracked") else "float32" for name in tensors}
    options = {"in_channels": channels, "side": side, "classes": classes, "width": width, "norm": "batch"}
    stored.save_file({f"net/classifier/{name}": value.astype(kinds[name]) for name, value in tensors.items()}, path,
                     {"torsor.state": "{}", "options": json.dumps(options)})
    return path
