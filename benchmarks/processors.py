"""Vectors and tags here and on another kind of processor.

    python -m benchmarks.processors

Encodes texts of the sample with both shipped encoders here and on an emulated processor with AVX2 but without AVX-512
and VNNI (`qemu-x86_64 -cpu Haswell`, Debian's package qemu-user; prints "not run" without it), and compares vectors
and tags. Emulation is slow: a few minutes.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from declinethemes.encode import SHIPPED, Encoder

TEXTS = 60
EMULATOR = ("qemu-x86_64", "-cpu", "Haswell")


def encode(texts: Path, out: Path) -> None:
    lines = texts.read_text(encoding="utf-8").splitlines()
    np.savez(out, **{name: Encoder.load(name).encode(lines) for name in SHIPPED})


def main() -> None:
    if len(sys.argv) == 3:
        encode(Path(sys.argv[1]), Path(sys.argv[2]))
        return
    if platform.machine() != "x86_64" or not shutil.which(EMULATOR[0]):
        print(f"not run (needs an x86-64 machine with {EMULATOR[0]})")
        return
    from declinethemes._resources import resource
    from declinethemes.tag import Tagger
    from declinethemes.training import read_coded

    passages = read_coded(resource("corpora/sample"), splits=("test",)).passages["text"]
    lines = [" ".join(text.split()) for text in passages if "[" not in text][:TEXTS]  # no pseudonyms
    with tempfile.TemporaryDirectory() as place:
        texts = Path(place) / "texts.txt"
        texts.write_text("\n".join(lines), encoding="utf-8")
        found = {}
        for name, before in (("here", ()), ("emulated", EMULATOR)):
            out = Path(place) / f"{name}.npz"
            command = [*before, sys.executable, "-m", "benchmarks.processors", str(texts), str(out)]
            subprocess.run(command, check=True)
            found[name] = dict(np.load(out))
    print(f"here: {'with' if knows_vnni() else 'without'} VNNI; emulated: without")
    for name in SHIPPED:
        here, there = found["here"][name], found["emulated"][name]
        cosine = (here * there).sum(axis=1)
        print(f"{name}: {len(here)} texts, cosine mean {cosine.mean():.7f}, lowest {cosine.min():.5f}")
    tagger = Tagger.load()
    vectors = found["emulated"][tagger.card_["encoder_name"]]
    of = dict(zip(lines, vectors, strict=True))
    encoder = Encoder(
        id=tagger.encoder.id, dimensions=vectors.shape[1], run=lambda given: np.stack([of[text] for text in given])
    )
    there, here = Tagger.load(encoder=encoder).predict_proba(lines), tagger.predict_proba(lines)
    yes = [p >= tagger.thresholds_ for p in (here, there)]
    print(f"tags: {yes[0].sum()} here, {yes[1].sum()} emulated, {(yes[0] & yes[1]).sum()} in both; ", end="")
    print(f"a probability differs by {np.abs(here - there).max():.4f} at most")


def knows_vnni() -> bool:
    """Return whether this processor adds products of bytes in 32 bits."""
    file = Path("/proc/cpuinfo")
    return file.is_file() and bool({"avx512_vnni", "avx_vnni"} & set(file.read_text(encoding="utf-8").split()))


if __name__ == "__main__":
    main()
