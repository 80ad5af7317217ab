"""Writes the small weight files in tests/data/io, which the reader tests compare with expected.npz.

Run with any Python that has torch and numpy; the files are committed, so this is needed only to change them:
    python tests/data/make_io_fixtures.py
"""

import argparse
import collections
import dataclasses
import datetime
import enum
import random
from pathlib import Path

import numpy as np
import torch

FOLDER = Path(__file__).resolve().parent / "io"


class OldTensor:
    """Pickles as torch before 0.4 pickled tensors: _rebuild_tensor with four arguments."""

    def __init__(self, tensor):
        self.tensor = tensor

    def __reduce__(self):
        t = self.tensor
        return torch._utils._rebuild_tensor, (
            t._typed_storage(),
            t.storage_offset(),
            tuple(t.size()),
            t.stride(),
        )


def sample(shape, dtype):
    """Numbers that every dtype of the list holds exactly: small halves, or small integers, or both truths."""
    count = int(np.prod(shape))
    if dtype == torch.bool:
        return (torch.arange(count) % 3 == 0).reshape(shape)
    if dtype.is_floating_point:
        return ((torch.arange(count) - 5) / 2).to(dtype).reshape(shape)
    low = 0 if dtype == torch.uint8 else -5
    return (torch.arange(count) + low).to(dtype).reshape(shape)


def all_dtypes():
    names = "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool".split()
    return collections.OrderedDict((f"{name}.weight", sample((2, 3), getattr(torch, name))) for name in names)


def odd_views():
    base = torch.arange(60, dtype=torch.float32)
    tensors = collections.OrderedDict()
    tensors["base"] = base.view(3, 4, 5)
    tensors["shared"] = base.view(3, 4, 5)
    tensors["transposed"] = base.view(3, 4, 5).permute(2, 0, 1)
    tensors["offset"] = base[7:19]
    tensors["strided"] = base[3::7]
    tensors["expanded"] = base[2:3].expand(4, 2)
    tensors["channels_last"] = sample((2, 3, 4, 5), torch.float32).contiguous(memory_format=torch.channels_last)
    tensors["scalar"] = torch.tensor(7, dtype=torch.int64)
    tensors["empty"] = torch.empty(0, 3)
    tensors["parameter"] = torch.nn.Parameter(sample((3, 2), torch.float32))
    tensors["parameter_shared"] = torch.nn.Parameter(base[:4])
    return tensors


def network():
    net = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 2), torch.nn.BatchNorm2d(3))
    with torch.no_grad():
        for tensor in net.state_dict().values():
            tensor.copy_(sample(tuple(tensor.shape), tensor.dtype))
    return net


def save(name, content, legacy=False, protocol=2):
    torch.save(
        content,
        FOLDER / name,
        _use_new_zipfile_serialization=not legacy,
        pickle_protocol=protocol,
    )


def write_state_dicts(expected):
    net = network()
    kinds = {"dtypes": all_dtypes(), "views": odd_views(), "network": net.state_dict()}
    for kind, tensors in kinds.items():
        save(f"{kind}_zip.pth", tensors)
        save(f"{kind}_legacy.pth", tensors, legacy=True)
        for name, tensor in tensors.items():
            value = tensor.detach()
            value = value.float() if value.dtype == torch.bfloat16 else value
            expected[f"{kind}/{name}"] = np.array(value.numpy(), order="C")
    for protocol in (3, 4, 5):
        save(f"network_protocol{protocol}.pth", net.state_dict(), protocol=protocol)
    save("network_module.pth", torch.nn.DataParallel(net).state_dict())
    save("network_plain_dict.pth", {**net.state_dict(), "iterations": 12, "note": "plain"})
    old = collections.OrderedDict((k, OldTensor(v)) for k, v in net.state_dict().items())
    save("network_v1.pth", old, legacy=True)
    write_checkpoints(net)


def write_checkpoints(net):
    """Nested dicts; the optimizer's own tensors must not count as a state dict."""
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(1, 2, 4, 4)).sum().backward()
    optimizer.step()
    checkpoint = {
        "state_dict": network().state_dict(),
        "epoch": 3,
        "optimizer": optimizer.state_dict(),
        "size": torch.Size([2, 3]),
        "dtype": torch.float32,
        "device": torch.device("cpu"),
        "seen": {1, 2},
        "raw": b"\x00\xff",
    }
    save("network_checkpoint.pth", checkpoint)
    save("two_state_dicts.pth", {"netG": network().state_dict(), "netD": network().state_dict()})


class Phase(enum.Enum):
    TRAIN = "train"


@dataclasses.dataclass
class Settings:
    rate: float = 2e-4
    tensor: object = None


def write_beside():
    """Everything that people keep beside a state dict; a tensor inside an object of theirs is not ours."""
    state = network().state_dict()
    beside = {
        "state_dict": state,
        "args": argparse.Namespace(lr=1e-4, out=Path("/tmp/out")),
        "best": np.float64(0.5),
        "history": np.arange(4.0),
        "rng": {"torch": torch.arange(8, dtype=torch.uint8), "numpy": ("MT19937", np.arange(5, dtype="u4"), 3)},
        "python": (3, tuple(range(4)), None),
        "when": datetime.datetime(2026, 1, 2, 3, 4),
        "scores": collections.defaultdict(list, {"psnr": [1.0]}),
        "phase": Phase.TRAIN,
        "settings": Settings(tensor=torch.ones(2)),
        "draw": random.Random(1).random,
        "loss": torch.tensor(0.25),
        "seen": {1, 2},
        "raw": b"\x00\xff",
    }
    save("beside_zip.pth", beside)
    save("beside_protocol4.pth", beside, protocol=4)
    del beside["draw"]  # protocol 1 cannot
    save("beside_protocol1.pth", beside, legacy=True, protocol=1)


def write_refused():
    save("whole_network.pth", network())
    save("namespace.pth", {"state_dict": network().state_dict(), "args": argparse.Namespace(lr=1e-4)})
    save("no_tensors.pth", {"epoch": 3})
    save("single_tensor.pth", torch.ones(2))
    save("negated.pth", {"z": torch.complex(torch.ones(2), torch.ones(2)).conj().imag})
    save("complex.pth", {"z": torch.ones(2, dtype=torch.complex64)})
    torch.jit.script(torch.nn.ReLU()).save(FOLDER / "torchscript.pth")


def write_arrays():
    arrays = {}
    for name in "f8 f4 f2 i8 i4 i2 i1 u1".split():
        low = 0 if name == "u1" else -3
        arrays[name] = (np.arange(6) + low).astype(name).reshape(2, 3)
    arrays["b1"] = (np.arange(6) % 2 == 0).reshape(2, 3)
    arrays["fortran"] = np.asfortranarray(np.arange(24, dtype="f4").reshape(2, 3, 4))
    arrays["scalar"] = np.array(2.5)
    arrays["empty"] = np.zeros((0, 4), dtype="i4")
    np.savez(FOLDER / "arrays_stored.npz", **arrays)
    np.savez_compressed(FOLDER / "arrays_deflated.npz", **arrays)
    np.savez(FOLDER / "arrays_big_endian.npz", x=np.arange(3, dtype=">f4"))
    np.savez(FOLDER / "arrays_of_objects.npz", x=np.array([{}, None], dtype=object))
    np.save(FOLDER / "single.npy", np.arange(3))


def main():
    FOLDER.mkdir(exist_ok=True)
    torch.manual_seed(0)
    expected = {}
    write_state_dicts(expected)
    np.savez_compressed(FOLDER / "expected.npz", **expected)
    write_beside()
    write_refused()
    write_arrays()


if __name__ == "__main__":
    main()
