"""Weights as people have them: beside everything else in a checkpoint, under prefixes, several in a file."""
import argparse
import collections
import dataclasses
import datetime
import enum
import os
import pathlib
import random

import pytest

from cli_support import FAILURE, USAGE, each, load, picture, refused, run, save, succeeded, translate

torch = pytest.importorskip("torch", exc_type=ImportError)
numpy = pytest.importorskip("numpy")
safetensors = pytest.importorskip("safetensors.torch")
import torch_twin  # noqa: E402
from test_exchange import import_, inspect, same_tensors  # noqa: E402


def generator(seed=0, norm="instance", net="resnet_1blocks"):
    return torch_twin.shaken(torch_twin.generator(net, norm), seed)


def discriminator(seed=0):
    return torch_twin.shaken(torch_twin.discriminator("n_layers", "instance", layers=2), seed)


def under(prefix, state):
    return {prefix + key: value for key, value in state.items()}


def taken(tmp_path, name, content, wanted, *arguments, **how):
    """Saves, imports, and compares with {torsor's name of a network: its state dict}."""
    source, out = tmp_path / name, tmp_path / f"{name}.safetensors"
    safetensors.save_file(content, source, **how) if name.endswith(".safetensors") else torch.save(content, source, **how)
    done = succeeded(import_(source, out, *arguments))
    assert set(inspect(out)["networks"][i]["name"] for i in range(len(wanted))) == set(wanted), done.stdout
    for network, state in wanted.items():
        same_tensors(out, network, state)
    return done


class Phase(enum.Enum):
    TRAIN = "train"


@dataclasses.dataclass
class Settings:
    rate: float = 2e-4
    hidden: object = None


class Config(dict):
    """As omegaconf and others: a dict of its own class, with attributes."""


class Touch:
    """What a pickle would do if it were run."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def everything_beside(state, canary):
    draw = random.Random(1)
    config = Config(lr=1e-4)
    config.frozen = True
    return {
        "epoch": 3, "state_dict": state, "args": argparse.Namespace(lr=1e-4, out=pathlib.Path("/tmp/out")),
        "best": numpy.float64(0.5), "count": numpy.int64(3), "history": numpy.arange(4.0),
        "objects": numpy.array([{"a": 1}, None], dtype=object), "names": numpy.array(["a", "b"]),
        "rng": {"torch": torch.get_rng_state(), "numpy": numpy.random.get_state(), "python": draw.getstate()},
        "draws": numpy.random.default_rng(1), "when": datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc),
        "scores": collections.defaultdict(list, {"psnr": [1.0]}), "seen": collections.Counter("abca"),
        "phase": Phase.TRAIN, "settings": Settings(hidden={"model.1.weight": torch.ones(1, 1, 7, 7)}), "config": config,
        "loss": torch.tensor(0.25), "criterion": torch.nn.L1Loss(), "device": torch.device("cpu"),
        "dtype": torch.float32, "size": torch.Size([1]), "touch": Touch(canary), "range": range(3), "raw": b"\x00"}


@pytest.mark.parametrize("how", [{"pickle_protocol": 2}, {"pickle_protocol": 5},
                                 {"pickle_protocol": 2, "_use_new_zipfile_serialization": False},
                                 {"pickle_protocol": 4, "_use_new_zipfile_serialization": False},
                                 {"pickle_protocol": 1, "_use_new_zipfile_serialization": False}],
                         ids=["protocol2", "protocol5", "stream", "framed-stream", "protocol1"])
def test_what_is_not_weights_is_read_past(tmp_path, how):
    state, canary = generator().state_dict(), tmp_path / "run"
    beside = everything_beside(state, canary)
    if how["pickle_protocol"] == 1:
        del beside["draws"]
    taken(tmp_path, "checkpoint.pth", beside, {"g": state}, **how)
    assert not canary.exists()


def lightning(states):
    net = generator(8)
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(1, 3, 16, 16)).sum().backward()
    optimizer.step()
    flat = {"criterion.weight": torch.ones(3)}
    for name, state in states.items():
        flat.update(under(f"{name}.", state))
    return {"epoch": 3, "global_step": 7, "pytorch-lightning_version": "2.5.0", "state_dict": flat,
            "loops": {"fit_loop": {"state_dict": {}}}, "callbacks": {"ModelCheckpoint{'mode': 'min'}": {
                "best_model_score": torch.tensor(0.5), "best_model_path": "x.ckpt"}},
            "optimizer_states": [optimizer.state_dict()], "lr_schedulers": [],
            "hyper_parameters": argparse.Namespace(lr=2e-4)}


def test_wrappings_and_companions(tmp_path):
    a, b, net = generator(1).state_dict(), generator(2).state_dict(), generator(3)
    d_a, d_b, plain = discriminator(4).state_dict(), discriminator(5).state_dict(), generator(3).state_dict()
    batch = generator(6, "batch").state_dict()
    bare = {key: value for key, value in batch.items() if not key.endswith("num_batches_tracked")}
    filled = {key: value * 0 if key.endswith("num_batches_tracked") else value for key, value in batch.items()}
    average = torch.optim.swa_utils.AveragedModel(net)
    each(lambda *case: taken(tmp_path, *case), [
        ("compiled.pth", under("module._orig_mod.", plain), {"g": plain}),
        ("averaged.pth", average.state_dict(), {"g": plain}),
        ("nested.pth", {"model": under("netG.module.", plain)}, {"g": plain}),
        ("parameters.pth", dict(net.named_parameters()), {"g": plain}),
        ("beside.pth", {"state_dict": plain, "scale": torch.ones(2), "rng": {"cuda": torch.ones(3)}}, {"g": plain}),
        ("ours.ckpt", lightning({"netG_A": a, "netG_B": b, "netD_A": d_b, "netD_B": d_a}),
         {"g_a_to_b": a, "g_b_to_a": b, "d_a": d_a, "d_b": d_b}),
        ("ugatit.pt", {"genA2B": a, "genB2A": b, "disGA": d_a, "disLA": d_b}, {"g_a_to_b": a, "g_b_to_a": b}),
        ("dicts.pth", collections.defaultdict(dict, {"G_BA": b, "G_AB": a, "D_A": d_a, "D_B": d_b}),
         {"g_a_to_b": a, "g_b_to_a": b, "d_a": d_a, "d_b": d_b}),
        ("paper.pth", {"nets": {"F": under("module.", b), "G": under("module.", a)}}, {"g_a_to_b": a, "g_b_to_a": b}),
        ("list.pth", [plain, {"lr": 1}], {"g": plain}),
        ("ema.pth", {"model": a, "ema": b}, {"g": b}, "--network", "ema"),
        ("emas.pth", {"now": {"genA2B": b, "genB2A": a}, "ema": {"genA2B": a, "genB2A": b}},
         {"g_a_to_b": a, "g_b_to_a": b}, "--network", "ema"),
        ("one.pth", {"nets": {"genA2B": a, "genB2A": b}}, {"g_b_to_a": b}, "--network", "genB2A"),
        ("counters.pth", bare, {"g": filled}),
        ("plain.safetensors", plain, {"g": plain}),
        ("generator.safetensors", under("generator.", plain), {"g": plain}),
        ("netG_B2A.safetensors", plain, {"g_b_to_a": plain}),
        ("unet.pth", under("module.", generator(7, net="unet_128").state_dict()),
         {"g": generator(7, net="unet_128").state_dict()})])


def test_directions_that_names_tell_need_no_word_about_a_convention(tmp_path):
    a, b = generator(1).state_dict(), generator(2).state_dict()
    for name, file, conventional in [("told.pth", {"genA2B": a, "genB2A": b}, False), ("G_AB.pth", a, False),
                                     ("letters.pth", {"netG_A": a, "netG_B": b}, True), ("latest_net_G_A.pth", a, True),
                                     ("some.pth", a, True), ("latest_net_D_A.pth", discriminator().state_dict(), True)]:
        torch.save(file, tmp_path / name)
        done = succeeded(run("import", tmp_path / name, tmp_path / f"{name}.safetensors", "--norm", "instance"))
        assert ("no train_opt.txt" in done.stdout) == conventional, name


def test_plain_safetensors_translate_as_the_pth_does(tmp_path):
    net = generator()
    safetensors.save_file(net.state_dict(), tmp_path / "latest_net_G_A.safetensors", metadata={"format": "pt"})
    torch.save({"state_dict": under("_orig_mod.", net.state_dict()), "args": argparse.Namespace()}, tmp_path / "net.pth")
    image = save(tmp_path / "in.png", picture(64, 64))
    for model in ("latest_net_G_A.safetensors", "net.pth"):
        succeeded(translate(tmp_path / model, image, tmp_path / "out.png", "--overwrite"))
        with torch.no_grad():
            x = torch.from_numpy(load(image)).permute(2, 0, 1)[None].float() / 127.5 - 1
            expected = ((net(x)[0].permute(1, 2, 0) + 1) * 127.5).numpy()
        assert numpy.abs(load(tmp_path / "out.png") - expected).max() < 0.51, model


def test_folders_of_other_names(tmp_path):
    a, b = generator(1).state_dict(), generator(2).state_dict()
    reference, other = tmp_path / "reference", tmp_path / "other"
    reference.mkdir(), other.mkdir()
    for name, state in (("G_A", a), ("G_B", b)):
        safetensors.save_file(state, reference / f"latest_net_{name}.safetensors")
    for name, state in (("netG_A2B", a), ("netG_B2A", b)):
        torch.save(state, other / f"{name}.pth")
    for folder in (reference, other):
        succeeded(import_(folder, tmp_path / f"{folder.name}.safetensors"))
        same_tensors(tmp_path / f"{folder.name}.safetensors", "g_a_to_b", a)
        same_tensors(tmp_path / f"{folder.name}.safetensors", "g_b_to_a", b)
    refused(import_(reference, tmp_path / "x.safetensors", "--network", "G_A"), USAGE, "--network G_A", "folder")


class Unknown(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Conv2d(3, 3, 3)


def test_what_cannot_be_taken_says_what_to_do(tmp_path):
    files = {"module.pth": generator(), "under.pth": {"netG": generator(), "epoch": 3},
             "two.pth": {"model": generator(1).state_dict(), "ema": generator(2).state_dict()},
             "unknown.pth": {"netG": Unknown().state_dict(), "netD": discriminator().state_dict()},
             "hidden.pth": {"config": Config(state_dict=generator().state_dict())}}
    for name, content in files.items():
        torch.save(content, tmp_path / name)
    succeeded(import_(tmp_path / "two.pth", tmp_path / "own.safetensors", "--network", "model"))
    out = tmp_path / "x.safetensors"
    advice = "torch.save(net.state_dict(), path)"
    each(lambda name, arguments, code, *parts: refused(import_(tmp_path / name, out, *arguments), code, name, *parts), [
        ("module.pth", (), FAILURE, "pickled object of class torch_twin.Net", advice),
        ("under.pth", (), FAILURE, "netG (torch_twin.Net)", advice),
        ("hidden.pth", (), FAILURE, "config (test_weights.Config)", advice),
        ("two.pth", (), FAILURE, "2 generators (model, ema)", "--network NAME"),
        ("two.pth", ("--network", "emma"), USAGE, "did you mean 'ema'"),
        ("unknown.pth", ("--network", "netG"), FAILURE, "netG: ", "layer.weight"),
        ("own.safetensors", ("--network", "ema"), USAGE, "--network ema", "torsor model"),
        ("own.safetensors", ("--norm", "batch"), USAGE, "--norm batch", "torsor model")])
    assert not out.exists()


def test_inspect_lists_the_networks_of_any_file(tmp_path):
    torch.save({"genA2B": Unknown().state_dict(), "genB2A": Unknown().state_dict(), "ema": {
        "netG": generator().state_dict(), "again": generator().state_dict()}, "disA": discriminator().state_dict()},
               tmp_path / "several.pth")
    found = inspect(tmp_path / "several.pth")
    assert "refused" in found and "networks" not in found
    listed = {network["name"]: network for network in found["found"]}
    assert list(listed) == ["genA2B", "genB2A", "ema.netG", "ema.again", "disA"]
    assert listed["ema.netG"]["likeness"] == "generator" and listed["ema.netG"]["tensors"] == 16
    assert listed["ema.netG"]["architecture"] == "resnet_1blocks, ngf 4, norm instance, 3 to 3 channels"
    assert listed["disA"]["architecture"].startswith("n_layers, 2 layers, ndf 4, norm instance")
    assert listed["genA2B"]["likeness"] == "unknown network" and "layer.weight" in listed["genA2B"]["architecture"]
    text = succeeded(run("inspect", tmp_path / "several.pth")).stdout
    assert "--network NAME picks one" in text and "ema.again  generator: resnet_1blocks" in text
    assert inspect(tmp_path / "several.pth")["found"] == found["found"]


def test_inspect_begins_with_a_summary(tmp_path):
    torch.save({"genA2B": generator(1).state_dict(), "genB2A": generator(2).state_dict()}, tmp_path / "pair.pth")
    succeeded(import_(tmp_path / "pair.pth", tmp_path / "m.safetensors", "--note", "mine"))
    text = succeeded(run("inspect", tmp_path / "m.safetensors")).stdout
    summary = text.split("\n\n")[0].splitlines()
    assert len(summary) <= 10 and "torsor model" in summary[0] and "note: mine" in "\n".join(summary)
    assert "  g_a_to_b  resnet_1blocks, ngf 4, norm instance, 3 to 3 channels; " in "\n".join(summary)
    assert "Conv" not in text
    assert "Conv" in succeeded(run("inspect", tmp_path / "m.safetensors", "--layers")).stdout
