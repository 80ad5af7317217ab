"""Writes golden.json: problems of optimal transport with what SciPy and POT (https://pythonot.github.io) find.

    python make_golden.py [FILE]

Costs have six digits, so that they are the same numbers in every program. tests/cli/test_transport_peers.py runs this
again where both packages are installed (scripts/requirements-peers.txt), and compares."""
import json
import pathlib
import sys

import numpy
import ot
import scipy
from scipy.optimize import linear_sum_assignment

HUGE = 1e32
SHARP = {"method": "sinkhorn_log", "stopThr": 1e-11, "numItermax": 5000, "warn": False}


def costs_of(x, y, power=2):
    return numpy.round((numpy.abs(x[:, None] - y[None]) ** power).mean(2), 6)


def masses(draw, count):
    return numpy.round(draw.uniform(0.1, 1, count), 3)


def shares(values):
    return numpy.asarray(values) / numpy.sum(values)


def assignments(draw):
    out = []
    for count, scale in ((1, 1), (6, 1), (12, HUGE), (40, 1)):
        costs = costs_of(draw.normal(size=(count, 3)), draw.normal(1, 2, size=(count, 3)))
        rows, columns = linear_sum_assignment(costs)
        out.append({"costs": costs.tolist(), "scale": scale, "cost": float(costs[rows, columns].mean() * scale),
                    "to": columns.tolist()})
    return out


def plans(draw):
    """POT gets costs of ordinary size, whatever the scale: it fails on 1e32."""
    out = []
    for n, m, weighted, scale in ((1, 7, True, 1), (5, 9, False, 1), (9, 5, True, 1), (9, 5, True, HUGE),
                                  (40, 24, False, 1), (32, 32, True, 1)):
        costs = costs_of(draw.normal(size=(n, 3)), draw.normal(1, 2, size=(m, 3)), 1.5)
        a, b = (masses(draw, n), masses(draw, m)) if weighted else (numpy.ones(n), numpy.ones(m))
        cost = ot.emd2(shares(a), shares(b), costs, numItermax=10 ** 7)
        out.append({"costs": costs.tolist(), "a": a.tolist(), "b": b.tolist(), "scale": scale, "cost": float(cost * scale)})
    return out


def entropic_numbers(a, b, costs, epsilon):
    plan = ot.sinkhorn(a, b, costs, epsilon, **SHARP)
    apart = plan * numpy.log(numpy.maximum(plan, 1e-300) / numpy.outer(a, b))
    return float((plan * costs).sum()), float((plan * costs).sum() + epsilon * apart.sum())


def entropic(draw):
    out = []
    for n, m, epsilon in ((6, 9, 1.0), (12, 12, 0.5), (20, 8, 0.3)):
        x, y = draw.normal(size=(n, 2)), draw.normal(1, 1, size=(m, 2))
        a, b = masses(draw, n), masses(draw, m)
        across, own_x, own_y = costs_of(x, y), costs_of(x, x), costs_of(y, y)
        cost, value = entropic_numbers(shares(a), shares(b), across, epsilon)
        of_x, of_y = (entropic_numbers(shares(w), shares(w), c, epsilon)[1] for w, c in ((a, own_x), (b, own_y)))
        out.append({"costs": across.tolist(), "costs_from": own_x.tolist(), "costs_to": own_y.tolist(), "a": a.tolist(),
                    "b": b.tolist(), "epsilon": epsilon, "cost": cost, "value": value,
                    "divergence": value - (of_x + of_y) / 2})
    return out


def on_the_line(draw):
    out = []
    for n, m, power in ((7, 7, 2), (9, 4, 2), (6, 11, 1), (8, 8, 3)):
        x, y = numpy.round(draw.normal(size=n), 6), numpy.round(draw.normal(1, 3, size=m), 6)
        a, b = masses(draw, n), masses(draw, m)
        cost = ot.emd2_1d(x, y, shares(a), shares(b), metric="minkowski", p=power)
        if power > 1:  # POT's metric is then the root
            cost = ot.emd2(shares(a), shares(b), numpy.abs(x[:, None] - y[None]) ** power)
        out.append({"x": x.tolist(), "y": y.tolist(), "a": a.tolist(), "b": b.tolist(), "power": power, "cost": float(cost)})
    return out


def gaussians(draw):
    out = []
    for size in (1, 3, 6):
        means = numpy.round(draw.normal(size=(2, size)), 6)
        roots = draw.normal(size=(2, size, size))
        s, t = (numpy.round(root @ root.T + 0.1 * numpy.eye(size), 6) for root in roots)
        matrix, _ = ot.gaussian.bures_wasserstein_mapping(means[0], means[1], s, t)
        distance = ot.gaussian.bures_wasserstein_distance(means[0], means[1], s, t)
        out.append({"means": means.tolist(), "s": s.tolist(), "t": t.tolist(), "squared_distance": float(distance) ** 2,
                    "matrix": numpy.asarray(matrix).tolist()})
    return out


def golden():
    draw = numpy.random.default_rng(7)
    parts = {"assignments": assignments, "plans": plans, "entropic": entropic, "on_the_line": on_the_line,
             "gaussians": gaussians}
    versions = {"scipy": scipy.__version__, "pot": ot.__version__, "numpy": numpy.__version__}
    return {"made_by": versions, **{name: make(draw) for name, make in parts.items()}}


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).with_name("golden.json"))
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in golden().items()]
    target.write_text("{\n" + ",\n".join(lines) + "\n}\n")
