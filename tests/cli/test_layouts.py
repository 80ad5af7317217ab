"""Networks as other programs build them, and weights whose keys leave something open: what torsor computes with them."""
import pytest

from cli_support import (FAILURE, USAGE, each, load, picture, refused, run, save, succeeded, train, translate, weights)

torch = pytest.importorskip("torch", exc_type=ImportError)
numpy = pytest.importorskip("numpy")
onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
load_file = pytest.importorskip("safetensors.numpy").load_file
import torch_twin  # noqa: E402
from test_exchange import inspect, stored_options  # noqa: E402
from test_onnx import outputs  # noqa: E402

# What is built; what keys alone do not tell is decided by these flags.
LAYOUTS = {
    "cut": dict(net="resnet_2blocks", norm="instance", down="blur", up="blur"),
    "cut-no-antialias-up": dict(net="resnet_1blocks", norm="batch", down="blur"),
    "pytorch-gan": dict(net="resnet_2blocks", norm="instance", up="resize", block="block"),
    "pix2pixhd": dict(net="resnet_1blocks", norm="instance", halvings=4),
    "zero-padding": dict(net="resnet_2blocks", norm="batch", padding="zero"),
    "zero-padding-dropout": dict(net="resnet_2blocks", norm="instance", padding="zero", dropout=True),
    "affine": dict(net="resnet_2blocks", norm="instance_affine"),
    "affine-without-biases": dict(net="unet_128", norm="instance_affine", bias=False),
    "affine-running": dict(net="resnet_2blocks", norm="instance_affine_running"),
    "silent-instance": dict(net="resnet_2blocks", norm="instance", bias=False),
    "biased-batch": dict(net="resnet_2blocks", norm="batch", bias=True),
}
DECIDED = {"biased-batch": ["--norm", "batch"]}
INEXPRESSIBLE = ["pytorch-gan", "pix2pixhd", "biased-batch"]  # by the reference and CUT


def built(folder, name):
    twin = torch_twin.shaken(torch_twin.generator(**LAYOUTS[name]))
    torch.save(twin.state_dict(), folder / f"{name}.pth")
    return twin, folder / f"{name}.pth"


def picture_and_tensor(folder):
    image = save(folder / "in.png", picture(128, 128))
    return image, torch.from_numpy(load(image)).permute(2, 0, 1)[None].float() / 127.5 - 1


def as_samples(y):
    return ((y.detach()[0].permute(1, 2, 0) + 1) * 127.5).numpy()


def test_every_layout_computes_what_its_program_does(tmp_path):
    """By the outputs that torsor leaves beside its ONNX model, and by that model."""
    def one(name):
        twin, path = built(tmp_path, name)
        model = tmp_path / f"{name}.onnx"
        succeeded(run("export", path, model))
        tensors = load_file(f"{model}.check.safetensors")
        for i in range(len(tensors) // 2):
            x = tensors[f"input_{i}"]
            with torch.no_grad():
                expected = twin(torch.from_numpy(x)).numpy()
            assert expected.std() > 0.1, "not a constant"
            for actual in (tensors[f"output_{i}"], outputs(model, torch.from_numpy(x))):
                assert actual.shape == expected.shape
                assert numpy.abs(actual - expected).max() <= 1e-4 * numpy.abs(expected).max(), name

    each(one, [(name,) for name in LAYOUTS])


def test_layouts_go_out_again(tmp_path):
    """The reference's files hold the same tensors; biases that an instance norm takes away are zeros there."""
    def one(name):
        twin, path = built(tmp_path, name)
        back = tmp_path / f"{name}-back.pth"
        done = run("export", path, back, *DECIDED.get(name, []))
        if name in INEXPRESSIBLE:
            return refused(done, FAILURE, path, "OUT.onnx")
        succeeded(done)
        assert ("CUT's options" in done.stdout) == name.startswith("cut")
        assert ("affine=True" in done.stdout) == name.startswith("affine")
        state = torch.load(back, weights_only=True)
        of_reference = {key: value for key, value in LAYOUTS[name].items() if key != "bias"}
        torch_twin.generator(**of_reference).load_state_dict(state, strict=True)
        for key, value in state.items():
            assert torch.equal(value, twin.state_dict().get(key, torch.zeros_like(value))), key

    each(one, [(name,) for name in LAYOUTS])


def test_a_doubt_is_said_and_decided(tmp_path):
    """Instance norm without parameters and biases leaves the same keys as no norm."""
    image, x = picture_and_tensor(tmp_path)
    twin, path = built(tmp_path, "silent-instance")
    plain = torch_twin.generator("resnet_2blocks", "none")
    plain.load_state_dict(twin.state_dict())
    expected = {"instance": as_samples(twin(x)), "none": as_samples(plain.eval()(x))}
    assert numpy.abs(expected["instance"] - expected["none"]).max() > 50

    def translated(norm, *arguments):
        out = tmp_path / "out.png"
        done = succeeded(translate(path, image, out, "--overwrite", *arguments))
        assert numpy.abs(load(out) - expected[norm]).max() < 0.51, (norm, arguments)
        return done.stderr

    said = translated("instance")
    assert "warning: " in said and "--norm none" in said
    assert "warning" not in translated("none", "--norm", "none")
    for norm in expected:
        (tmp_path / "train_opt.txt").write_text(f"  norm: {norm}  \n  ngf: 4 \n")
        assert "warning" not in translated(norm)
    succeeded(run("import", path, tmp_path / "m.safetensors", "--norm", "instance"))
    assert stored_options(tmp_path / "m.safetensors", "g")["norm"] == "instance"
    (tmp_path / "train_opt.txt").write_text("  norm: batch \n")
    refused(translate(path, image, tmp_path / "x.png"), FAILURE, path, "train_opt.txt", "norm batch", "--norm")
    refused(translate(path, image, tmp_path / "x.png", "--norm", "batch"), USAGE, "--norm batch", path)
    (tmp_path / "train_opt.txt").write_text("  netG: unet_256 \n")
    refused(run("import", path, tmp_path / "x.safetensors"), FAILURE, path, "unet_256", "--net-g resnet_2blocks")
    succeeded(run("import", path, tmp_path / "x.safetensors", "--net-g", "resnet_2blocks"))


def test_batch_norm_without_counters(tmp_path):
    image, x = picture_and_tensor(tmp_path)
    twin = torch_twin.shaken(torch_twin.generator("resnet_2blocks", "batch"))
    torch.save({key: value for key, value in twin.state_dict().items() if not key.endswith("num_batches_tracked")},
               tmp_path / "g.pth")
    succeeded(translate(tmp_path / "g.pth", image, tmp_path / "out.png"))
    assert numpy.abs(load(tmp_path / "out.png") - as_samples(twin(x))).max() < 0.51
    succeeded(run("export", tmp_path / "g.pth", tmp_path / "back.pth"))
    torch_twin.generator("resnet_2blocks", "batch").load_state_dict(torch.load(tmp_path / "back.pth"), strict=True)


def test_projects_that_torsor_cannot_compute_are_named(tmp_path):
    for key, project in [("UpBlock1_1.conv1.weight", "U-GAT-IT"), ("enc_content.model.0.conv.weight", "MUNIT"),
                         ("down1.model.0.weight", "PyTorch-GAN"), ("main.0.weight", "StarGAN")]:
        torch.save({key: torch.zeros(4, 3, 7, 7), "other.weight": torch.zeros(4)}, tmp_path / "g.pth")
        refused(run("import", tmp_path / "g.pth", tmp_path / "m.safetensors"), FAILURE, "g.pth", project)


@pytest.mark.parametrize("norm", ["instance_affine", "instance_affine_running"])
def test_affine_instance_norm_is_trained(tmp_path, norm):
    succeeded(train(tmp_path / "run", norm=norm, steps=4, ngf=8))
    state = {key.removeprefix("net/g_a_to_b/"): torch.from_numpy(value)
             for key, value in weights(tmp_path / "run" / "model.safetensors").items() if key.startswith("net/g_a_to_b/")}
    twin = torch_twin.generator("resnet_1blocks", norm, ngf=8)
    twin.load_state_dict(state, strict=True)
    assert (state["model.2.weight"] != 1).any() and (state["model.2.bias"] != 0).any()
    if norm.endswith("running"):
        assert (state["model.2.running_mean"] != 0).any()
    image, x = picture_and_tensor(tmp_path)
    succeeded(translate(tmp_path / "run", image, tmp_path / "out.png"))
    assert numpy.abs(load(tmp_path / "out.png") - as_samples(twin.eval()(x))).max() < 0.51
    succeeded(run("export", tmp_path / "run", tmp_path / "reference"))
    succeeded(run("import", tmp_path / "reference", tmp_path / "back.safetensors"))
    found = {network["name"]: network["options"]["norm"] for network in inspect(tmp_path / "back.safetensors")["networks"]}
    assert set(found.values()) == {norm} and len(found) == 4


def test_a_generator_of_another_layout_is_fine_tuned_as_it_is(tmp_path):
    _, path = built(tmp_path, "cut")
    done = succeeded(train(tmp_path / "run", init_from=path, steps=1, net_g=None, ngf=None))
    assert "g_a_to_b: all " in done.stderr
    options = stored_options(tmp_path / "run" / "model.safetensors", "g_a_to_b")
    assert (options["downsample"], options["upsample"], options["net_g"]) == ("blur", "blur", "resnet_2blocks")
