"""Exported generators in onnxruntime: every network, norm and dropout, with weights and statistics that are random."""
import subprocess
import sys

import pytest

from cli_support import FAILURE, SOURCE, USAGE, each, refused, run, snapshot, succeeded, train

torch = pytest.importorskip("torch", exc_type=ImportError)
numpy = pytest.importorskip("numpy")
onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
import torch_twin  # noqa: E402
from test_exchange import GENERATORS, inspect  # noqa: E402

CHECK = SOURCE / "scripts" / "check-onnx.py"


def check(*models):
    return subprocess.run([sys.executable, CHECK, *map(str, models)], text=True, capture_output=True, timeout=300)


def exported(folder, net, norm, dropout=False, **options):
    """A twin of the network, and the path of its ONNX model, which torsor made of the twin's weights."""
    twin = torch_twin.shaken(torch_twin.generator(net, norm, dropout, **options))
    name = f"{net}-{norm}-{dropout}"
    torch.save(twin.state_dict(), folder / f"{name}.pth")
    decided = ["--norm", "none"] if norm == "none" else []  # keys alone would rather say instance
    succeeded(run("export", folder / f"{name}.pth", folder / f"{name}.onnx", *decided))
    return twin, folder / f"{name}.onnx"


def outputs(path, x):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["output"], {"input": x.numpy()})[0]


def test_every_generator(tmp_path):
    """With torsor's own outputs, which its script compares, and with Python torch."""
    def one(net, norm, dropout):
        twin, path = exported(tmp_path, net, norm, dropout, inputs=1, outputs=3)
        done = succeeded(check(path))
        assert done.stdout.count(" ok\n") == 3, done.stdout
        sizes = [(256, 512)] if net.startswith("unet") else [(37, 50), (48, 32)]
        for height, width in sizes:
            x = torch.rand(2, 1, height, width, generator=torch.Generator().manual_seed(height)) * 2 - 1
            with torch.no_grad():
                expected = twin(x).numpy()
            actual = outputs(path, x)
            assert actual.shape == expected.shape
            assert numpy.abs(actual - expected).max() <= 1e-4 * numpy.abs(expected).max()

    each(one, GENERATORS)


def test_the_check_sees_dropped_statistics_and_weights(tmp_path):
    """A script that cannot fail would be worth nothing."""
    _, path = exported(tmp_path, "resnet_6blocks", "batch")
    model = onnx.load(path)
    for name in ("model.2.running_var", "model.5.bias", "model.7.weight"):
        changed = onnx.ModelProto()
        changed.CopyFrom(model)
        tensor = next(t for t in changed.graph.initializer if t.name == name)
        tensor.raw_data = (numpy.frombuffer(tensor.raw_data, "float32") * 1.3).tobytes()
        onnx.save(changed, path)
        done = check(path)
        assert done.returncode == 1 and "FAILED" in done.stdout, name


@pytest.mark.parametrize("opset", [11, 13, 16, 18, 21])
def test_operator_sets(tmp_path, model, opset):
    out = tmp_path / "m.onnx"
    succeeded(run("export", model, out, "--opset", opset))
    assert onnx.load(out).opset_import[0].version == opset
    succeeded(check(out))


def test_a_trained_run_in_both_directions(tmp_path):
    succeeded(train(tmp_path / "run", channels_b=1, norm="batch", output_activation="linear"))
    for direction, channels in (("a_to_b", [3, 1]), ("b_to_a", [1, 3])):
        out = tmp_path / f"{direction}.onnx"
        succeeded(run("export", tmp_path / "run", out, "--direction", direction))
        succeeded(check(out))
        found = inspect(out)
        assert [found["inputs"][0]["shape"][1], found["outputs"][0]["shape"][1]] == channels
        assert found["inputs"][0]["shape"][0] == "batch" and found["inputs"][0]["shape"][2:] == ["height", "width"]
        assert found["metadata"]["torsor.direction"] == direction
        assert found["metadata"]["torsor.model"]["domains"]["a"]["name"] == "solid"
        assert found["nodes"]["Conv"] >= 6 and found["opset"] == 17


@pytest.mark.parametrize("net", ["residual_unet_3", "autoencoder_16"])
def test_networks_that_the_reference_lacks(tmp_path, net):
    succeeded(train(tmp_path / "run", net_g=net, norm="batch", load_size=16, crop_size=16, net_d="pixel"))
    succeeded(run("export", tmp_path / "run", tmp_path / "m.onnx"))
    assert succeeded(check(tmp_path / "m.onnx")).stdout.count(" ok\n") == 3


def test_what_it_refuses(tmp_path, model):
    kept = tmp_path / "kept.onnx"
    kept.write_bytes(b"precious")
    (tmp_path / "noise.onnx").write_bytes(bytes(range(7, 250)))
    before = snapshot(tmp_path)
    each(lambda command, code, *parts: refused(run(*command), code, *parts), [
        (("export", model, kept), FAILURE, kept, "exists already", "--overwrite"),
        (("export", model, tmp_path / "x.onnx", "--opset", 9), USAGE, "--opset", "11 to 21"),
        (("export", model, tmp_path / "x.onnx", "--direction", "b_to_c"), USAGE, "b_to_c", "b_to_a"),
        (("export", model, tmp_path / "no" / "folder" / "x.onnx"), FAILURE, "x.onnx", "cannot be written"),
        (("inspect", tmp_path / "noise.onnx"), FAILURE, "noise.onnx", "is not an ONNX model"),
    ])
    assert snapshot(tmp_path) == before


def test_a_name_that_leaves_no_room_is_refused_before_anything_is_written(tmp_path):
    folder, net = tmp_path / "out", tmp_path / "net.pth"
    torch.save(torch_twin.generator("resnet_6blocks", "instance").state_dict(), net)
    folder.mkdir()
    fits = folder / ("n" * 232 + ".onnx")
    refused(run("export", net, folder / ("n" * 233 + ".onnx")), USAGE, "too long for .check.safetensors", "237")
    assert not list(folder.iterdir())
    succeeded(run("export", net, fits))
    assert len(list(folder.iterdir())) == 2
