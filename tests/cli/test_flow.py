"""Flows as generators (--net-g flow_<n>) by the real program: trained, continued, translated both ways, exported."""
import json
import subprocess
import sys

import pytest

from cli_support import (FAILURE, SOURCE, USAGE, each, equal_weights, load, picture, refused, run, save, succeeded, train,
                         translate)

numpy = pytest.importorskip("numpy")

FLOW = {"net_g": "flow_1", "flow_steps": 2}
# One generator, whose inverse is the other direction.
ONE = {**FLOW, "model": "pix2pix", "dropout": False, "init_gain": 0.5}


def flow(out, **options):
    return train(out, **{**FLOW, **options})


def inspected(model):
    return json.loads(succeeded(run("inspect", "--json", model)).stdout)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A cyclegan of two flows, and a model of one."""
    root = tmp_path_factory.mktemp("flows")
    each(lambda name, options: succeeded(flow(root / name, **options)), [("two", {}), ("one", ONE)])
    return root


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    # Grey levels in the middle: nothing is clamped where translations are written.
    return save(tmp_path_factory.mktemp("image") / "in.png", 96 + picture(32, 32) // 4)


def test_a_run_says_what_it_is_and_whether_it_comes_back(runs):
    said = inspected(runs / "one")
    generators = [network for network in said["networks"] if network["kind"] == "generator"]
    assert len(generators) == 1
    options = generators[0]["options"]
    assert (options["net_g"], options["flow_solver"], options["flow_steps"]) == ("flow_1", "midpoint", 2)
    assert 0 < generators[0]["return_error"] < 0.1
    text = succeeded(run("inspect", runs / "one")).stdout
    assert "flow_1, ngf 4, midpoint in 2 steps, 3 channels" in text and "return_error" in text
    notices = (runs / "one" / "notices.jsonl").read_text()
    assert "g_a_to_b is a flow" in notices and "brought back" in notices
    assert [n.get("return_error") is not None for n in inspected(runs / "two")["networks"]] == [True, True, False, False]


@pytest.mark.parametrize("solver", ["euler", "dopri5"])
def test_goes_on_to_the_byte(tmp_path, solver):
    options = {"flow_solver": solver, "flow_blocks": "own"}
    each(lambda name, steps: succeeded(flow(tmp_path / name, steps=steps, **options)), [("whole", 3), ("parts", 2)])
    succeeded(run("train", "--resume", tmp_path / "parts", "--steps", 3))
    assert equal_weights(tmp_path / "parts" / "model.safetensors", tmp_path / "whole" / "model.safetensors")


def test_one_flow_translates_both_ways(runs, image, tmp_path):
    there, back, other = (tmp_path / f"{name}.png" for name in ("there", "back", "other"))
    succeeded(translate(runs / "one", image, there))
    done = succeeded(translate(runs / "one", there, back, direction="b_to_a"))
    assert "b_to_a is a_to_b integrated backwards; images of its training came back" in done.stderr
    succeeded(translate(runs / "one", there, other))
    moved, returned, twice = (abs(load(path) - load(image)).mean() for path in (there, back, other))
    assert moved > 3, "the flow moves the image"
    assert returned < moved / 3 and returned < 2.5, "back to it, but for the grey levels of the file between"
    assert twice > moved, "and forwards again it goes on"


def test_two_flows_are_two_directions(runs, image, tmp_path):
    done = succeeded(translate(runs / "two", image, tmp_path / "out.png", direction="b_to_a"))
    assert "backwards" not in done.stderr


def test_values_are_clamped_where_they_are_written(image, tmp_path):
    succeeded(flow(tmp_path / "run", init_gain=20, steps=1))
    succeeded(translate(tmp_path / "run", image, tmp_path / "out.png"))
    values = load(tmp_path / "out.png")
    assert (values == 0).mean() > 0.05 and (values == 255).mean() > 0.05


def exported(run_folder, out, direction):
    return run("export", run_folder, out, "--direction", direction)


def test_fixed_steps_are_the_same_in_onnxruntime(runs, tmp_path):
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")

    def one(solver, blocks):
        folder = tmp_path / f"{solver}-{blocks}"
        succeeded(flow(folder, **{**ONE, "flow_solver": solver, "flow_blocks": blocks, "steps": 1}))
        for direction in ("a_to_b", "b_to_a"):
            out = folder / f"{direction}.onnx"
            succeeded(exported(folder, out, direction))
            done = subprocess.run([sys.executable, SOURCE / "scripts" / "check-onnx.py", str(out)], text=True,
                                  capture_output=True, timeout=300)
            assert done.returncode == 0 and done.stdout.count(" ok\n") == 3, done.stdout + done.stderr
            metadata = {entry.key: entry.value for entry in onnx.load(out).metadata_props}
            assert metadata["torsor.direction"] == direction

    each(one, [("euler", "shared"), ("midpoint", "own"), ("rk4", "shared")])


def test_what_cannot_be_exported(runs, tmp_path):
    succeeded(flow(tmp_path / "run", flow_solver="dopri5", steps=1))
    refused(exported(tmp_path / "run", tmp_path / "m.onnx", "a_to_b"), FAILURE, "dopri5", "--flow-solver euler")
    assert not (tmp_path / "m.onnx").exists()
    refused(exported(runs / "one", tmp_path / "m.pth", "a_to_b"), FAILURE, "flow_1, which the reference does not have")


def test_what_is_refused_before_a_training(tmp_path):
    cases = [({"channels_b": 1}, "--channels-b"), ({"dropout": True}, "--no-dropout"), ({"net_g": "flow_0"}, "from 1 to 64"),
             ({"net_g": "resnet_1blocks"}, "--flow-steps 2"), ({"flow_tolerance": 0.1}, "--flow-tolerance does nothing"),
             ({"flow_solver": "rk5"}, "'rk5'"), ({"flow_steps": 0}, "--flow-steps"), ({"upsample": "blur"}, "--upsample blur"),
             ({"net_g": "flow_<n>"}, "put a number")]

    def one(change, part):
        refused(flow(tmp_path / "run", **change), USAGE, part)

    each(one, cases)
    assert not (tmp_path / "run").exists()


def test_a_stiff_flow_is_one_clear_line(tmp_path):
    refused(flow(tmp_path / "run", flow_solver="dopri5", flow_tolerance=1e-8, init_type="normal", init_gain=3, ngf=16),
            FAILURE, "stiff", "--flow-tolerance")


def test_its_path_is_measured_as_transport(runs, tmp_path):
    for i in range(10):
        for domain, shown in (("a", picture(32, 32, seed=i)), ("b", 255 - picture(32, 32, seed=100 + i) // 3)):
            save(tmp_path / domain / f"{i}.png", shown)
    succeeded(run("transport", runs / "one", "--a", tmp_path / "a", "--b", tmp_path / "b", "--out", tmp_path / "out",
                  "--subsamples", 10, "--splits", 2, "--threads", 1))
    found = json.loads((tmp_path / "out" / "transport.json").read_text())["directions"]
    assert set(found) == {"a_to_b", "b_to_a"}, "the flow, and the flow backwards"
    for direction in found.values():
        blocks = direction["blocks"]
        assert blocks["count"] == 2 and not blocks["normalised"]
        # (1/K) sum |v_k|^2 is at least |sum v_k / K|^2, the cost, and equal on a straight path at one speed.
        assert blocks["energy"]["value"] >= direction["cost"]["value"] * (1 - 1e-4)
        assert blocks["energy"]["value"] < 4 * direction["cost"]["value"]
    assert (tmp_path / "out" / "index.html").read_text().count("data:image/png") == 2, "a picture of paths for each direction"
