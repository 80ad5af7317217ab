"""torsor's own kernels in the real program: chosen, forced, refused; the same bits each time."""
import json
import os
import pathlib

import pytest

from cli_support import (USAGE, equal_weights, load, picture, refused, run, save, succeeded, train, translate)

CPU = pathlib.Path("/proc/cpuinfo")
pytestmark = pytest.mark.skipif(
    os.environ.get("TORSOR_ISA") == "plain" or not CPU.exists() or "avx2" not in CPU.read_text(),
    reason="there are no kernels for this processor, or TORSOR_ISA=plain leaves them out")
numpy = pytest.importorskip("numpy")
WIDE = {"ngf": 8, "net_g": "resnet_2blocks", "device": "cpu"}  # 32 channels and maps of 8 x 8: from there on `auto` takes the kernels


def with_isa(isa):
    return {"run_options": {"env": {**os.environ, "TORSOR_ISA": isa}}}


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    out = tmp_path_factory.mktemp("wide") / "run"
    succeeded(train(out, **WIDE))
    return out


def test_engines_translate_alike(tmp_path, wide):
    source = save(tmp_path / "in.png", picture(45, 37))
    out = {}
    for engine in ("auto", "torch", "fast"):
        succeeded(translate(wide, source, tmp_path / f"{engine}.png", engine=engine))
        out[engine] = load(tmp_path / f"{engine}.png")
    assert (out["auto"] == out["fast"]).all()
    assert abs(out["fast"] - out["torch"]).max() <= 1
    succeeded(translate(wide, source, tmp_path / "plain.png", **with_isa("plain")))
    assert (load(tmp_path / "plain.png") == out["torch"]).all()


def test_the_same_seed_gives_the_same_bits_with_the_kernels_too(tmp_path, wide):
    succeeded(train(tmp_path / "again", **WIDE))
    assert equal_weights(wide / "model.safetensors", tmp_path / "again/model.safetensors")
    succeeded(train(tmp_path / "torch", engine="torch", **WIDE))
    assert not equal_weights(wide / "model.safetensors", tmp_path / "torch/model.safetensors"), "the kernels did not run"


def test_a_resumed_run_is_the_uninterrupted_one_and_may_change_its_engine(tmp_path, wide):
    succeeded(train(tmp_path / "half", **{**WIDE, "steps": 2, "checkpoint_every": 1}))
    succeeded(run("train", "--resume", tmp_path / "half", "--steps", "3"))
    assert equal_weights(wide / "model.safetensors", tmp_path / "half/model.safetensors")
    succeeded(run("train", "--resume", tmp_path / "half", "--steps", "4", "--engine", "torch"))
    assert json.loads((tmp_path / "half/config.json").read_text())["engine"] == "torch"


def test_check_compares_every_layer(tmp_path, wide):
    source = save(tmp_path / "in.png", picture(45, 37))
    said = succeeded(translate(wide, source, tmp_path / "check.png", engine="check")).stdout
    assert "engine, a_to_b: who" in said and "from libtorch's" in said and "ResnetBlock x 2" in said, said
    succeeded(translate(wide, source, tmp_path / "auto.png"))
    assert (load(tmp_path / "check.png") == load(tmp_path / "auto.png")).all()
    distances = [float(line.split()[0]) for line in said.splitlines() if "Block" in line]
    assert distances and all(0 < distance < 1e-5 for distance in distances), said
    said = succeeded(train(tmp_path / "run", engine="check", **WIDE)).stdout
    assert said.count("engine, ") == 4 and "d_a" in said, said
    assert equal_weights(wide / "model.safetensors", tmp_path / "run/model.safetensors")


def test_who_computes_each_layer_is_said(tmp_path, wide):
    source = save(tmp_path / "in.png", picture(45, 37))
    said = succeeded(translate(wide, source, tmp_path / "out.png", verbose=True)).stdout
    assert "engine, a_to_b: who computes its layers" in said, said
    assert any(line.split()[0] == "kernel" and "ResnetBlock x 2" in line for line in said.splitlines()), said
    assert any(line.split()[0] == "libtorch" and "Tanh" in line for line in said.splitlines()), said
    said = succeeded(translate(wide, source, tmp_path / "torch.png", verbose=True, engine="torch")).stdout
    assert "  kernel" not in said and "Conv" in said, said
    said = succeeded(train(tmp_path / "run", verbose=True, **WIDE)).stdout
    assert said.count("who computes its layers") == 4 and said.index("engine, g_a_to_b: who") < said.index("done"), said
    assert equal_weights(wide / "model.safetensors", tmp_path / "run/model.safetensors")


def test_inspect_says_who_computes_each_layer(tmp_path, wide):
    networks = {n["name"]: n for n in json.loads(succeeded(run("inspect", "--json", wide)).stdout)["networks"]}
    for name in ("g_a_to_b", "g_b_to_a", "d_a", "d_b"):
        assert networks[name]["paths"]["side"] == 32, networks[name]
        by = {layer["layers"]: layer["by"] for layer in networks[name]["paths"]["layers"]}
        assert "libtorch" in by.values(), by
        assert name.startswith("d_") or by["10 to 11: ResnetBlock x 2"] == "kernel", by
    plain = json.loads(succeeded(run("inspect", "--json", wide, **with_isa("plain")["run_options"])).stdout)["networks"]
    assert all(layer["by"] == "libtorch" for n in plain for layer in n["paths"]["layers"]), plain
    text = succeeded(run("inspect", wide, "--layers")).stdout
    assert "who computes the layers of g_b_to_a here, at 32 pixels" in text and "paths" not in text, text
    succeeded(train(tmp_path / "unet", net_g="residual_unet_2"))
    networks = json.loads(succeeded(run("inspect", "--json", tmp_path / "unet")).stdout)["networks"]
    assert "paths" not in next(n for n in networks if n["name"] == "g_a_to_b"), networks


def test_other_instruction_sets_are_refused(tmp_path, wide):
    source = save(tmp_path / "in.png", picture())
    refused(translate(wide, source, tmp_path / "out.png", **with_isa("avx3")), USAGE, "TORSOR_ISA=avx3",
            "plain, avx2, avx512")
    refused(train(tmp_path / "run", **with_isa("sse"), **WIDE), USAGE, "TORSOR_ISA=sse")
    assert not (tmp_path / "out.png").exists() and not (tmp_path / "run").exists()
    refused(translate(wide, source, tmp_path / "out.png", engine="faster"), USAGE, "--engine", "torch")
