"""The problems of transport that tests/transport compares with are solved again by SciPy and POT, where these are installed
(scripts/requirements-peers.txt): their answers are those on file."""
import json
import os
import subprocess
import sys

import pytest

from cli_support import SOURCE

FOLDER = SOURCE / "tests" / "transport"


def same(found, filed):
    if isinstance(filed, dict):
        assert found.keys() == filed.keys()
        for key in filed:
            same(found[key], filed[key])
    elif isinstance(filed, list):
        assert len(found) == len(filed)
        for one, other in zip(found, filed):
            same(one, other)
    else:
        assert found == pytest.approx(filed, rel=1e-7, abs=1e-9)


def test_the_answers_on_file_are_those_of_the_programs(tmp_path):
    pytest.importorskip("scipy")
    pytest.importorskip("ot", reason="the package pot is not installed")
    made = tmp_path / "golden.json"
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, FOLDER / "make_golden.py", made], check=True, timeout=300, env=one_thread)
    found, filed = json.loads(made.read_text()), json.loads((FOLDER / "golden.json").read_text())
    assert set(filed.pop("made_by")) == {"scipy", "pot", "numpy"} and found.pop("made_by")
    same(found, filed)
