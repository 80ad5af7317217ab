"""Writes ode_golden.json: a smooth velocity, and where torchdiffeq (https://github.com/rtqichen/torchdiffeq) and SciPy
carry points by it, in float64.

    python make_ode_golden.py [FILE]

Its numbers have six digits, so that they are the same in every program. tests/cli/test_flow_peers.py runs this again
where both packages are installed (scripts/requirements-peers.txt), and compares."""
import json
import pathlib
import sys

import numpy
import scipy
import torch
import torchdiffeq
from scipy.integrate import solve_ivp

FIXED = ("euler", "midpoint", "rk4")
STEPS = (1, 4, 16)


def problem():
    draw = numpy.random.default_rng(5)
    numbers = {"inner": draw.normal(size=(4, 3)), "of_time": draw.normal(size=4), "shift": draw.normal(size=4),
               "outer": draw.normal(size=(3, 4)), "start": draw.normal(size=(5, 3))}
    return {name: numpy.round(value, 6) for name, value in numbers.items()}


def velocity(of):
    """v(x, t) = outer tanh(inner x + t of_time + shift), of the rows of x."""
    inner, of_time, shift, outer = (torch.tensor(of[name]) for name in ("inner", "of_time", "shift", "outer"))
    return lambda t, x: torch.tanh(x @ inner.T + t * of_time + shift) @ outer.T


def carried(v, start, times, **settings):
    return torchdiffeq.odeint(v, start, torch.tensor(times, dtype=torch.float64), **settings)[-1].tolist()


def exact(v, start, times):
    """By SciPy, each row on its own."""
    rows = []
    for row in start:
        def slope(t, x):
            return v(t, torch.tensor(x)[None])[0].numpy()
        rows.append(solve_ivp(slope, times, row.numpy(), method="DOP853", rtol=1e-13, atol=1e-13).y[:, -1].tolist())
    return rows


def golden():
    of = problem()
    v, start = velocity(of), torch.tensor(of["start"])
    ways = {}
    for way, (begin, end) in {"forwards": (0.0, 1.0), "backwards": (1.0, 0.0)}.items():
        fixed = {method: {str(steps): carried(v, start, numpy.linspace(begin, end, steps + 1).tolist(), method=method)
                          for steps in STEPS} for method in FIXED}
        adaptive = carried(v, start, [begin, end], method="dopri5", rtol=1e-9, atol=1e-9)
        ways[way] = {**fixed, "dopri5": adaptive, "scipy": exact(v, start, (begin, end))}
    versions = {"scipy": scipy.__version__, "torchdiffeq": torchdiffeq.__version__, "torch": torch.__version__}
    return {"made_by": versions, "problem": {name: value.tolist() for name, value in of.items()}, **ways}


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).with_name("ode_golden.json"))
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in golden().items()]
    target.write_text("{\n" + ",\n".join(lines) + "\n}\n")
