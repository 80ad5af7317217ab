"""Alarms of a training by the real program: printed, kept and, where it is asked for, the end of the run."""
import json

from cli_support import SHOWN, TINY, USAGE, refused, succeeded, run, train

# A generator whose weights are nearly 0 and stay so shows nothing.
BLANK = {**TINY, **SHOWN, "load_size": 16, "crop_size": 16, "net_d": "n_layers", "n_layers_d": 1, "max_dataset_size": 4,
         "init_gain": 1e-6, "lr": 1e-12, "steps": 4, "alarm_every": 1}
ENDED_BY_ALARM = 3


def notices(folder):
    return [json.loads(line) for line in (folder / "notices.jsonl").read_text().splitlines()]


def test_an_alarm_is_printed_and_kept_and_ends_nothing(tmp_path):
    done = succeeded(train(tmp_path / "run", **BLANK))
    assert "alarm blank (a_to_b) at step 2: " in done.stderr
    given = [line for line in notices(tmp_path / "run") if "alarm blank (a_to_b)" in line["text"]]
    assert [(line["step"], line["level"]) for line in given] == [(2, "warning")]
    assert "alarm blank (a_to_b)" in (tmp_path / "run" / "report.html").read_text()


def test_stop_on_ends_the_run_which_can_be_resumed(tmp_path):
    out = tmp_path / "run"
    done = train(out, stop_on="blank", **BLANK)
    assert done.returncode == ENDED_BY_ALARM, done.stderr
    assert "--stop-on blank: the run ends after step 2" in done.stdout + done.stderr
    assert (out / "model.safetensors").exists() and (out / "checkpoints" / "step_00000002.safetensors").exists()
    resumed = succeeded(run("train", "--resume", out))  # what was said is not said again
    assert "alarm blank" not in resumed.stderr and (out / "checkpoints" / "step_00000004.safetensors").exists()


def test_what_is_no_alarm_is_refused(tmp_path):
    refused(train(tmp_path / "run", stop_on="blanc", **BLANK), USAGE, "--stop-on", "did you mean 'blank'")
    refused(train(tmp_path / "run", stop_on="blank", **{**BLANK, "alarm_every": 0}), USAGE, "--alarm-every 0")
    assert not (tmp_path / "run").exists()
