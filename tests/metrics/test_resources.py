"""What a command takes: its time, its memory with that of what it starts, and a GPU's memory over time."""

import sys

import pytest

from flaredb.errors import NotFoundError
from flaredb.metrics.resources import measure_command

HOLD = "import time; held = b'1' * {bytes}; time.sleep({seconds})"
NONE = "no-such-program"


def python(code):
    return [sys.executable, "-c", code]


def standing_in(path, *lines):
    """A program that answers like nvidia-smi, one line every tenth of a second, the last one for ever."""
    told = "; ".join(f"print('{line}', flush=True); time.sleep(0.1)" for line in lines[:-1])
    path.write_text(
        f"#!{sys.executable}\nimport time\n{told or 'pass'}\n"
        f"while True:\n    print('{lines[-1]}', flush=True)\n    time.sleep(0.1)\n"
    )
    path.chmod(0o755)
    return str(path)


def test_time_and_exit_code():
    """The wall time of the whole command, and what it ended with."""
    usage = measure_command(python("import sys, time; time.sleep(0.4); sys.exit(3)"), smi=NONE)
    assert usage.returncode == 3
    assert 0.4 <= usage.seconds < 20


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell")
def test_memory_of_all_that_was_started():
    """A process that starts another is measured with it."""
    one, two = 150 << 20, 100 << 20
    inner = HOLD.format(bytes=two, seconds=1)
    code = f"import subprocess, sys; held = b'1' * {one}; subprocess.run([sys.executable, '-c', {inner!r}])"
    alone = measure_command(python(HOLD.format(bytes=one, seconds=0.3)), smi=NONE).ram_peak_mb
    both = measure_command(python(code), smi=NONE).ram_peak_mb
    assert 150 < alone < 200
    assert 250 < both < 320


def test_without_a_gpu_nothing_is_said_of_it(tmp_path):
    """No program, or one that knows no device: the GPU's figures are None."""
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\necho No devices were found\nexit 6\n")
    silent.chmod(0o755)
    for program in (NONE, str(silent)):
        usage = measure_command(python("pass"), smi=program)
        assert usage[2:5] == (None, None, 0)


def test_area_under_the_memory_of_the_gpu(tmp_path):
    """The peak is the largest sample of total less free; the area is the sum of the samples × 0.1, as FLARE has it."""
    smi = standing_in(tmp_path / "smi", "8000, 7900", "8000, 7000", "8000, 7500")
    usage = measure_command(python("import time; time.sleep(1)"), smi=smi)
    assert usage.gpu_samples >= 3
    rest = (usage.gpu_samples - 1) * 500 + 1000
    assert usage.gpu_peak_mb == 1000.0
    assert usage.gpu_area_mb_s == pytest.approx(rest * 0.1)


def test_no_such_command():
    """A command that is none is not found."""
    with pytest.raises(NotFoundError, match="no-such-program"):
        measure_command([NONE], smi=NONE)
