"""The wheel is whole: built, unpacked elsewhere, it runs without the repository."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_wheel_runs_outside_the_repository(tmp_path):
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path / "dist"), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    place = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(place)
    assert (place / "declinethemes" / "_bundled" / "models" / "encoder" / "model_int8.onnx").is_file()
    assert (place / "declinethemes" / "_bundled" / "corpora" / "sample" / "candidates.csv").is_file()
    script = (
        "import declinethemes, sys\n"
        f"assert declinethemes.__file__.startswith({str(place)!r}), declinethemes.__file__\n"
        "from declinethemes.cli import main\nmain(['demo', '--out', 'study'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(place)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "study" / "report.html").is_file()
