"""Flows by torchdiffeq and SciPy, where these are installed (scripts/requirements-peers.txt): what tests/nn has on file is
what they say now, and a trained flow's output is what torchdiffeq makes of the same velocity."""
import json
import os
import subprocess
import sys

import pytest

from cli_support import SOURCE, run, succeeded, train, weights
from test_transport_peers import same

FOLDER = SOURCE / "tests" / "nn"


@pytest.fixture
def torch():
    return pytest.importorskip("torch", exc_type=ImportError)


@pytest.fixture
def torchdiffeq(torch):
    return pytest.importorskip("torchdiffeq")


def test_the_answers_on_file_are_those_of_the_programs(tmp_path, torchdiffeq):
    pytest.importorskip("scipy")
    made = tmp_path / "golden.json"
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, FOLDER / "make_ode_golden.py", made], check=True, timeout=300, env=one_thread)
    found, filed = json.loads(made.read_text()), json.loads((FOLDER / "ode_golden.json").read_text())
    assert set(filed.pop("made_by")) == {"scipy", "torchdiffeq", "torch"} and found.pop("made_by")
    same(found, filed)


def velocity(torch, tensors, blocks):
    """v(t, x) of tests/nn/flow_test.cpp's network, by Python torch."""
    def conv(key, x):
        padded = torch.nn.functional.pad(x, (1, 1, 1, 1), mode="reflect")
        return torch.nn.functional.conv2d(padded, tensors[f"{key}.weight"], tensors[f"{key}.bias"])

    def v(t, x):
        time = torch.full_like(x[:, :1], float(t))
        h = torch.relu(conv("model.1", torch.cat([x, time], 1)))
        for i in range(3, 3 + blocks):
            h = h + conv(f"model.{i}.conv_block.4", torch.relu(conv(f"model.{i}.conv_block.1", h)))
        return conv(f"model.{4 + blocks}", h)

    return v


@pytest.mark.parametrize("solver", ["euler", "midpoint", "rk4"])
def test_a_trained_flow_is_torchdiffeqs(tmp_path, solver, torch, torchdiffeq):
    succeeded(train(tmp_path / "run", net_g="flow_2", flow_solver=solver, flow_steps=3, init_gain=1, model="pix2pix",
                    dropout=False))
    start = "net/g_a_to_b/velocity."
    tensors = {key.removeprefix(start): torch.from_numpy(value)
               for key, value in weights(tmp_path / "run" / "model.safetensors").items() if key.startswith(start)}
    assert len(tensors) == 12
    v = velocity(torch, tensors, 2)
    for direction, times in (("a_to_b", [0, 1 / 3, 2 / 3, 1]), ("b_to_a", [1, 2 / 3, 1 / 3, 0])):
        out = tmp_path / f"{direction}.onnx"
        succeeded(run("export", tmp_path / "run", out, "--direction", direction))
        made = weights(f"{out}.check.safetensors")
        for i in range(3):
            x, expected = (torch.from_numpy(made[f"{kind}_{i}"]) for kind in ("input", "output"))
            found = torchdiffeq.odeint(v, x, torch.tensor(times, dtype=torch.float64), method=solver)[-1]
            assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()
            assert (x - expected).abs().max() > 0.01
