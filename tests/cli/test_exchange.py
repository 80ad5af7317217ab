"""Weights come in from the reference and go out to it: every network and norm, both containers of torch.save."""
import json

import pytest

from cli_support import (FAILURE, GOLDEN, USAGE, each, equal_weights, flags, load, picture, refused, run, save, snapshot,
                         succeeded, train, translate, weights)

torch = pytest.importorskip("torch", exc_type=ImportError)
numpy = pytest.importorskip("numpy")
safetensors = pytest.importorskip("safetensors")
import torch_twin  # noqa: E402

NETS = ["resnet_6blocks", "resnet_9blocks", "unet_128", "unet_256"]
NORMS = ["instance", "batch", "none"]
GENERATORS = [(net, norm, dropout) for net in NETS for norm in NORMS for dropout in (False, True)]


def decided(norm):
    """Keys alone would rather say instance."""
    return ["--norm", "none"] if norm == "none" else []


def import_(source, target, *arguments):
    return run("import", *arguments, source, target)


def export(model, target, *arguments):
    return run("export", *arguments, model, target)


def inspect(path):
    return json.loads(succeeded(run("inspect", "--json", path)).stdout)


def networks(path):
    """Without the paths, which depend on what else a file tells of the training."""
    return {network["name"]: {key: value for key, value in network.items() if key != "paths"}
            for network in inspect(path)["networks"]}


def stored_options(model_file, name):
    """The options of a network as the file itself holds them."""
    with safetensors.safe_open(model_file, "numpy") as file:
        described = json.loads(file.metadata()["torsor.model"])
    return next(network["options"] for network in described["networks"] if network["name"] == name)


def same_tensors(model_file, name, state):
    ours = {key.removeprefix(f"net/{name}/"): value for key, value in weights(model_file).items()
            if key.startswith(f"net/{name}/")}
    assert ours.keys() == state.keys()
    for key, value in state.items():
        assert ours[key].dtype == value.numpy().dtype and numpy.array_equal(ours[key], value.numpy()), key


def test_the_twin_has_the_references_keys():
    listing = GOLDEN.parent / "spec" / "state_dict_keys.txt"
    if not listing.exists():
        pytest.skip(f"{listing} is not there")
    blocks = listing.read_text().split("## ")[1:]
    assert len(blocks) >= 10
    for block in blocks:
        head, *lines = block.splitlines()
        net, norm, *rest = head.split()
        norm = norm.removeprefix("norm=")
        if net in NETS:
            twin = torch_twin.generator(net, norm, dropout="dropout" in rest, ngf=64)
        else:
            layers = [int(word.removeprefix("n_layers=")) for word in rest if word.startswith("n_layers=")]
            twin = torch_twin.discriminator(net, norm, ndf=64, layers=layers[0] if layers else 3)
        listed = {line.split()[0]: line[line.index("["):line.index("]") + 1] for line in lines if "[" in line}
        assert {key: str(list(value.shape)) for key, value in twin.state_dict().items()} == listed, head


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "stream"])
def test_every_generator_comes_in(tmp_path, zipped):
    def one(net, norm, dropout):
        twin = torch_twin.shaken(torch_twin.generator(net, norm, dropout, inputs=1, outputs=3))
        name = f"{net}-{norm}-{dropout}"
        torch.save(twin.state_dict(), tmp_path / f"{name}.pth", _use_new_zipfile_serialization=zipped)
        succeeded(import_(tmp_path / f"{name}.pth", tmp_path / f"{name}.safetensors", *decided(norm)))
        same_tensors(tmp_path / f"{name}.safetensors", "g", twin.state_dict())
        found = stored_options(tmp_path / f"{name}.safetensors", "g")
        expected = {"net_g": net, "norm": norm, "ngf": 4, "in_channels": 1, "out_channels": 3}
        assert expected.items() <= found.items()
        if net.startswith("resnet"):
            assert found["dropout"] == dropout

    each(one, GENERATORS)


def square(folder):
    """An image that every generator takes, and the tensor that it sees."""
    image = save(folder / "in.png", picture(256, 256))
    return image, torch.from_numpy(load(image)).permute(2, 0, 1)[None].float() / 127.5 - 1


def test_every_generator_computes_the_same(tmp_path):
    image, x = square(tmp_path)

    def one(net, norm, dropout):
        twin = torch_twin.shaken(torch_twin.generator(net, norm, dropout))
        name = f"{net}-{norm}-{dropout}"
        torch.save(twin.state_dict(), tmp_path / f"{name}.pth")
        succeeded(translate(tmp_path / f"{name}.pth", image, tmp_path / f"{name}.png", *decided(norm)))
        with torch.no_grad():
            expected = ((twin(x)[0].permute(1, 2, 0) + 1) * 127.5).numpy()
        assert expected.std() > 5, "a picture, not a blank"
        assert numpy.abs(load(tmp_path / f"{name}.png") - expected).max() < 0.51, name

    each(one, [case for case in GENERATORS if not case[2]])


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "stream"])
def test_other_dtypes_and_wrappings(tmp_path, zipped):
    """Whole networks as people keep them: half precision, DataParallel, inside a training checkpoint, all at once."""
    image, x = square(tmp_path)

    def one(dtype, net, wrap):
        twin = torch_twin.shaken(torch_twin.generator(net, "batch")).to(dtype)
        path, target = tmp_path / f"{net}-{dtype}.pth", tmp_path / f"{net}-{dtype}.safetensors"
        torch.save(wrap(twin.state_dict()), path, _use_new_zipfile_serialization=zipped)
        succeeded(import_(path, target))
        ours = pytest.importorskip("safetensors.torch").load_file(target)
        for key, value in twin.state_dict().items():
            assert ours[f"net/g/{key}"].dtype == value.dtype and torch.equal(ours[f"net/g/{key}"], value), key
        succeeded(translate(target, image, tmp_path / f"{net}-{dtype}.png"))
        with torch.no_grad():
            expected = ((twin.float()(x)[0].permute(1, 2, 0) + 1) * 127.5).numpy()
        assert numpy.abs(load(tmp_path / f"{net}-{dtype}.png") - expected).max() < 0.51
        assert stored_options(target, "g")["net_g"] == net

    def parallel(state):
        return {f"module.{key}": value for key, value in state.items()}

    each(one, [(torch.float16, "resnet_6blocks", dict), (torch.bfloat16, "unet_128", parallel),
               (torch.float64, "resnet_9blocks", lambda state: {"epoch": 7, "state_dict": parallel(state)}),
               (torch.float16, "unet_256", lambda state: {"model": state, "lr": 2e-4})])


def test_every_network_goes_out_bit_for_bit(tmp_path):
    """What the reference does with a file: torch.load, load_state_dict(strict=True)."""
    def generator(net, norm, dropout):
        twin = torch_twin.shaken(torch_twin.generator(net, norm, dropout))
        source, out = tmp_path / f"{net}-{norm}-{dropout}.pth", tmp_path / f"{net}-{norm}-{dropout}-out.pth"
        torch.save(twin.state_dict(), source)
        succeeded(export(source, out, *decided(norm)))
        state = torch.load(out, weights_only=True)
        torch_twin.generator(net, norm, dropout).load_state_dict(state, strict=True)
        assert list(state) == list(twin.state_dict())
        for key, value in twin.state_dict().items():
            assert state[key].dtype == value.dtype and torch.equal(state[key], value), key

    each(generator, GENERATORS)


def reference_folder(folder, options, d=("basic", 3), norm="instance", channels=(1, 3)):
    """checkpoints/<name>/ of a CycleGAN between images of these channels, and its networks by the reference's names."""
    a, b = channels
    nets = {"G_A": torch_twin.generator("resnet_6blocks", norm, inputs=a, outputs=b),
            "G_B": torch_twin.generator("resnet_6blocks", norm, inputs=b, outputs=a),
            "D_A": torch_twin.discriminator(d[0], norm, inputs=b, layers=d[1]),
            "D_B": torch_twin.discriminator(d[0], norm, inputs=a, layers=d[1])}
    folder.mkdir(parents=True)
    for i, (name, net) in enumerate(nets.items()):
        torch_twin.shaken(net, i)
        torch.save(net.state_dict(), folder / f"latest_net_{name}.pth")
        torch.save(torch_twin.shaken(torch_twin.generator("resnet_6blocks", norm)).state_dict(),
                   folder / f"5_net_{name}.pth")  # an earlier epoch, of no interest
        torch_twin.shaken(net, i)
    if options is not None:
        lines = [f"{key:>25}: {value:<30}\t[default: x]" for key, value in options.items()]
        (folder / "train_opt.txt").write_text("\n".join(["---- Options ----", *lines, "---- End ----"]))
    return {name: net.state_dict() for name, net in nets.items()}


@pytest.mark.parametrize("direction, crossed", [
    (None, {"g_a_to_b": "G_A", "g_b_to_a": "G_B", "d_b": "D_A", "d_a": "D_B"}),
    ("AtoB", {"g_a_to_b": "G_A", "g_b_to_a": "G_B", "d_b": "D_A", "d_a": "D_B"}),
    ("BtoA", {"g_b_to_a": "G_A", "g_a_to_b": "G_B", "d_a": "D_A", "d_b": "D_B"})])
def test_a_whole_folder_of_the_reference(tmp_path, direction, crossed):
    options = direction and {"direction": direction, "dataroot": "./datasets/maps", "load_size": 80, "crop_size": 64,
                             "preprocess": "resize_and_crop", "no_flip": "True"}
    states = reference_folder(tmp_path / "name", options)
    done = succeeded(import_(tmp_path / "name", tmp_path / "m.safetensors", "--note", "mine", "--licence", "CC-BY-4.0"))
    assert ("no train_opt.txt" in done.stdout) == (direction is None)
    for ours, theirs in crossed.items():
        same_tensors(tmp_path / "m.safetensors", ours, states[theirs])
    found = inspect(tmp_path / "m.safetensors")
    assert found["note"] == "mine" and found["licence"] == "CC-BY-4.0"
    if direction:
        assert found["domains"]["a"]["name"] == "mapsA"
        assert found["preprocessing"]["load_size"] == 80 and not found["preprocessing"]["flip"]
        assert found["training"]["reference"]["direction"] == direction
    # Channels of the data's domains, whatever the model called them.
    assert [found["domains"][d]["channels"] for d in "ab"] == ([3, 1] if direction == "BtoA" else [1, 3])


@pytest.mark.parametrize("net, layers", [("basic", 3), ("n_layers", 2), ("n_layers", 5), ("pixel", 3)])
def test_discriminators_are_recognised(tmp_path, net, layers):
    for norm in NORMS:
        reference_folder(tmp_path / norm, {"norm": norm}, (net, layers), norm)
        found = networks(tmp_path / norm)["d_b"]["options"]
        assert (found["net_d"], found["norm"], found["in_channels"], found["ndf"]) == (net, norm, 3, 4)
        assert net == "pixel" or found["n_layers_d"] == layers


def test_there_and_back(tmp_path):
    """A trained run goes out as a folder of the reference and comes back the same."""
    succeeded(train(tmp_path / "run", net_g="resnet_6blocks", norm="batch", channels_a=1, lambda_identity=0))
    done = succeeded(export(tmp_path / "run", tmp_path / "reference"))
    assert "--netG resnet_6blocks --ngf 4 --norm batch --no_dropout --input_nc 1 --output_nc 3" in done.stdout
    assert set(snapshot(tmp_path / "reference")) == {f"latest_net_{n}.pth" for n in ("G_A", "G_B", "D_A", "D_B")} | {
        "train_opt.txt"}
    torch_twin.generator("resnet_6blocks", "batch", inputs=1).load_state_dict(
        torch.load(tmp_path / "reference" / "latest_net_G_A.pth", weights_only=True), strict=True)
    torch_twin.discriminator("basic", "batch").load_state_dict(
        torch.load(tmp_path / "reference" / "latest_net_D_A.pth", weights_only=True), strict=True)
    succeeded(import_(tmp_path / "reference", tmp_path / "back.safetensors"))
    assert equal_weights(tmp_path / "back.safetensors", tmp_path / "run" / "model.safetensors")
    assert networks(tmp_path / "back.safetensors") == networks(tmp_path / "run")


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_pix2pix_comes_and_goes_with_its_discriminator(tmp_path, direction):
    twin = torch_twin.shaken(torch_twin.generator("unet_128", "batch", dropout=True))
    folder = tmp_path / "facades"
    folder.mkdir()
    torch.save(twin.state_dict(), folder / "latest_net_G.pth")
    pairs = torch_twin.shaken(torch_twin.discriminator("basic", "batch", inputs=6))
    torch.save(pairs.state_dict(), folder / "latest_net_D.pth")
    (folder / "train_opt.txt").write_text(f"     direction: {direction}      \t[default: AtoB]\n    no_dropout: False\n")
    succeeded(import_(folder, tmp_path / "m.safetensors"))
    found = networks(tmp_path / "m.safetensors")
    source, target = ("a", "b") if direction == "AtoB" else ("b", "a")
    generator = f"g_{source}_to_{target}"
    assert list(found) == [generator, "d_ab"] and found[generator]["options"]["dropout"]
    assert (found[generator]["from"], found[generator]["to"]) == (source, target)
    assert found["d_ab"]["sees"] == [source, target] and found["d_ab"]["options"]["in_channels"] == 6
    same_tensors(tmp_path / "m.safetensors", generator, twin.state_dict())
    same_tensors(tmp_path / "m.safetensors", "d_ab", pairs.state_dict())
    image = save(tmp_path / "in.png", picture(128, 128))
    succeeded(translate(tmp_path / "m.safetensors", image, tmp_path / "out.png", direction=f"{source}_to_{target}"))
    refused(translate(tmp_path / "m.safetensors", image, tmp_path / "other.png", direction=f"{target}_to_{source}"),
            USAGE, f"--direction {target}_to_{source}", f"{source}_to_{target}")

    succeeded(export(tmp_path / "m.safetensors", tmp_path / "back"))
    assert {path.name for path in (tmp_path / "back").iterdir()} == {
        "latest_net_G.pth", "latest_net_D.pth", "train_opt.txt"}
    torch_twin.generator("unet_128", "batch", dropout=True).load_state_dict(
        torch.load(tmp_path / "back" / "latest_net_G.pth", weights_only=True), strict=True)
    torch_twin.discriminator("basic", "batch", inputs=6).load_state_dict(
        torch.load(tmp_path / "back" / "latest_net_D.pth", weights_only=True), strict=True)
    said = (tmp_path / "back" / "train_opt.txt").read_text().split()
    assert said[said.index("model:") + 1] == "pix2pix" and said[said.index("direction:") + 1] == direction
    succeeded(import_(tmp_path / "back", tmp_path / "again.safetensors"))
    assert equal_weights(tmp_path / "again.safetensors", tmp_path / "m.safetensors")
    assert networks(tmp_path / "again.safetensors") == found


def test_what_it_refuses(tmp_path, model):
    twin = torch_twin.generator("resnet_6blocks", "instance")
    torch.save(twin.state_dict(), tmp_path / "g.pth")
    kept = tmp_path / "kept.safetensors"
    kept.write_bytes(b"precious")
    (tmp_path / "empty").mkdir()
    succeeded(train(tmp_path / "linear", output_activation="linear", steps=1))
    before = snapshot(tmp_path)
    each(lambda command, code, *parts: refused(run(*command), code, *parts), [
        (("import", tmp_path / "g.pth", kept), FAILURE, kept, "exists already", "--overwrite"),
        (("import", tmp_path / "g.pth", tmp_path / "x.pth"), USAGE, "x.pth", ".safetensors"),
        (("import", tmp_path / "empty", tmp_path / "x.safetensors"), FAILURE, "empty", "no weights of the reference"),
        (("import", tmp_path / "gone", tmp_path / "x.safetensors"), FAILURE, "gone", "no such model"),
        (("export", model, tmp_path / "g.pth"), FAILURE, "g.pth", "exists already"),
        (("export", model, tmp_path / "x.tflite"), USAGE, "x.tflite", ".pth"),
        (("export", tmp_path / "g.pth", tmp_path / "x.pth", "--direction", "a_to_b"), USAGE, "--direction a_to_b", "g.pth"),
        (("export", model, tmp_path / "folder", "--direction", "a_to_b"), USAGE, "--direction", "all networks"),
        (("export", tmp_path / "linear", tmp_path / "x.pth"), FAILURE, "linear", "tanh"),
        (("inspect", tmp_path / "gone"), FAILURE, "gone"),
    ])
    assert snapshot(tmp_path) == before


def test_inspect_shows_every_kind_of_file(tmp_path, model):
    torch.save(torch_twin.generator("unet_128", "batch").state_dict(), tmp_path / "g.pth")
    checkpoint = next((model / "checkpoints").iterdir())
    for path, what in [(model, "torsor model"), (model / "model.safetensors", "torsor model"),
                       (checkpoint, "torsor checkpoint"), (tmp_path / "g.pth", "reference weights")]:
        found = inspect(path)
        assert found["what"] == what and found["networks"][0]["values"] > 1000
        text = succeeded(run("inspect", path)).stdout
        assert what in text and found["networks"][0]["options"]["net_g"] in text
    found = inspect(model)
    assert found["step"] == 3 and found["training"]["ngf"] == 4 and found["environment"]["threads"] == 1
    assert found["networks"][0]["sides"] == {"multiple_of": 4, "at_least": 8}
    assert (found["domains"]["a"]["name"], found["domains"]["a"]["channels"]) == ("solid", 3)


# --- fine-tuning ---

def fine_tune(out, source, **options):
    """One step at a rate that changes nothing to speak of, in the networks of the source."""
    return train(out, init_from=source, steps=1, lr="1e-12", optimizer="sgd", **{"net_g": None, "ngf": None, "ndf": None,
                                                                                 **options})


def almost_equal(model_file, other, prefix, other_prefix=None):
    one, two = weights(model_file), weights(other)
    keys = [key for key in one if key.startswith(prefix)]
    assert keys
    for key in keys:
        numpy.testing.assert_allclose(one[key], two[key.replace(prefix, other_prefix or prefix, 1)], atol=1e-6)


def test_fine_tuning_a_run_needs_no_network_flags(tmp_path, model):
    done = succeeded(fine_tune(tmp_path / "run", model))
    for name in ("g_a_to_b", "g_b_to_a", "d_a", "d_b"):
        assert f"{name}: all " in done.stderr
        almost_equal(tmp_path / "run" / "model.safetensors", model / "model.safetensors", f"net/{name}/")
    assert networks(tmp_path / "run") == networks(model)
    assert inspect(tmp_path / "run")["step"] == 1


def test_fine_tuning_from_the_references_files(tmp_path):
    reference_folder(tmp_path / "name", None, channels=(3, 3))
    done = succeeded(fine_tune(tmp_path / "whole", tmp_path / "name"))
    assert done.stderr.count("all ") == 4
    succeeded(import_(tmp_path / "name", tmp_path / "m.safetensors"))
    almost_equal(tmp_path / "whole" / "model.safetensors", tmp_path / "m.safetensors", "net/d_b/")

    torch.save(torch_twin.shaken(torch_twin.generator("resnet_6blocks", "batch")).state_dict(), tmp_path / "g.pth")
    done = succeeded(fine_tune(tmp_path / "lone", tmp_path / "g.pth"))
    assert "g_a_to_b: all " in done.stderr
    for name in ("g_b_to_a", "d_a", "d_b"):
        assert f"{name}: starts fresh: {tmp_path / 'g.pth'} has none" in done.stderr
    assert networks(tmp_path / "lone")["g_a_to_b"]["options"]["norm"] == "batch"


def test_fine_tuning_other_networks_says_what_was_taken(tmp_path, model):
    done = succeeded(fine_tune(tmp_path / "grey", model, channels_a=1, lambda_identity=0))
    assert "g_a_to_b: 15 of 16 tensors taken" in done.stderr
    assert "not taken: model.1.weight is [4,3,7,7], here [4,1,7,7]" in done.stderr
    done = succeeded(fine_tune(tmp_path / "deep", model, net_g="resnet_2blocks"))
    assert "model.11.conv_block.1.weight is missing" in done.stderr
    done = fine_tune(tmp_path / "none", model, net_g="unet_128", net_d="pixel", load_size=128, crop_size=128)
    assert done.returncode == FAILURE and "not one of its tensors fits" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "none").exists()


def test_a_fine_tuned_run_goes_on_like_any_other(tmp_path, model):
    succeeded(fine_tune(tmp_path / "run", model))
    done = succeeded(run("train", "--resume", tmp_path / "run", "--steps", 2))
    assert "tensors taken" not in done.stderr


def test_the_import_of_a_large_file_says_what_it_does(tmp_path):
    """A bar in a terminal, else a line for each step; of small files nothing."""
    for name, size in (("large.pth", 100_000_000), ("small.pth", 1000)):
        with open(tmp_path / name, "wb") as file:
            file.truncate(size)
    said = {name: run("import", tmp_path / name, tmp_path / "out.safetensors").stderr.splitlines()
            for name in ("large.pth", "small.pth")}
    assert len(said["small.pth"]) == 1 and "not a PyTorch weight file" in said["small.pth"][0]
    assert "reading" in said["large.pth"][1] and "large.pth, 95" in said["large.pth"][1], said
    assert len(said["large.pth"]) == 3 and "not a PyTorch weight file" in said["large.pth"][2]
