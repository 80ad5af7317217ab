"""On machines that are busy, small or both: how threads wait, what a run may take, and what is said of it."""
import os
import re
import subprocess

import pytest

from cli_support import PROGRAM, USAGE, refused, run, succeeded, train

WAITING = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")


def waiting_of(**environment):
    """libgomp's own account of its settings."""
    clean = {key: value for key, value in os.environ.items() if key not in WAITING}
    done = succeeded(run("--version", env={**clean, "OMP_DISPLAY_ENV": "verbose", **environment}))
    shown = dict(re.findall(r"(?:\[host\] )?(\w+) = '(.*)'", done.stderr))
    if "GOMP_SPINCOUNT" not in shown:
        pytest.skip("the OpenMP runtime here is not GNU's")
    return shown["GOMP_SPINCOUNT"], shown["OMP_WAIT_POLICY"], done


def test_on_an_idle_machine_threads_wait_as_the_runtime_has_it():
    count, policy, _ = waiting_of()
    assert count == "300000" and policy == "PASSIVE"


def test_what_the_user_says_of_waiting_holds():
    assert waiting_of(GOMP_SPINCOUNT="77")[0] == "77"
    count, policy, _ = waiting_of(OMP_WAIT_POLICY="passive")
    assert count == "0" and policy == "PASSIVE"
    count, policy, _ = waiting_of(OMP_WAIT_POLICY="active")
    assert int(count) > 10 ** 6 and policy == "ACTIVE"


def test_a_run_that_cannot_fit_is_refused_with_what_would(tmp_path):
    done = train(tmp_path / "run", ngf=16, load_size=128, crop_size=128, batch_size=65536, net_g="resnet_9blocks")
    refused(done, USAGE, "this run would take about", "GiB of memory", "--batch-size ", "--crop-size ", "would fit", "--force")
    assert not (tmp_path / "run").exists()


def test_weights_alone_may_be_too_much(tmp_path):
    done = train(tmp_path / "run", ngf=4096, net_g="resnet_9blocks")
    refused(done, USAGE, "this run would take more than", "--ngf ", "would fit")

