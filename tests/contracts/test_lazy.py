"""Importing the package and asking for help load nothing heavy, and are quick."""

import subprocess
import sys
import time

import pytest

HEAVY = ("torch", "transformers", "spacy", "sklearn", "bertopic", "sentence_transformers", "onnxruntime", "scipy")
IMPORT = "import declinethemes"
HELP = "import sys; from declinethemes.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass"


@pytest.mark.parametrize("code", [IMPORT, HELP], ids=["import", "help"])
def test_nothing_heavy_is_loaded(code):
    script = f"{code}\nimport sys\nsys.stderr.write(','.join(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""


@pytest.mark.parametrize("code", [IMPORT, HELP], ids=["import", "help"])
def test_it_takes_under_half_a_second(code):
    # Best of five, beside the bare interpreter: the machine may be busy, the code may not.
    def best(script):
        times = []
        for _ in range(5):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
            times.append(time.perf_counter() - start)
        return min(times)

    assert best(code) < 0.5 + best("pass")
