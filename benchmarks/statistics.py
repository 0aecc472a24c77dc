"""Whether the findings keep what they promise: studies with known truth, counted by the hundred.

    python -m benchmarks.statistics [--part null,power,coverage,counting,duplication,asked,planted,speed]
                                    [--studies 1000] [--jobs 2]

In: nothing but seeds; the planted part reads the sample study. Out: a table per part. Every study goes through
`dt.crosstab`, the coverage of intervals through `stats.audit.audited_difference`; only the data are made here.
`--studies` is the number of null studies; the other parts take theirs from it (see each). Simulated candidates differ
in how talkative they are: an item is mentioned where the root of RHO times talkativeness (the same for all items of a
candidate) plus the root of 1 - RHO times a part of its own exceeds a cut, all standard normal. So items are correlated
and every share is exact.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import declinethemes as dt
from declinethemes.stats.audit import Audit, audited_difference
from declinethemes.stats.power import minimum_detectable_gap, power
from declinethemes.stats.proportions import newcombe, wilson

Flags = NDArray[np.bool_]
Tables = list[tuple[str, pd.DataFrame]]
SEED, RHO = 0, 0.3
N, GROUP, ITEMS = 100, 12, 30
SHARES = np.linspace(0.05, 0.5, ITEMS)
PLANTED, BASE = 10, 0.2  # the item that differs, and the rest's share of it
GAPS, GROUPS = (0.2, 0.3, 0.4, 0.5, 0.6), (12, 30)
SENTENCES, ICC, SAID = 15, 0.25, 0.1
NOTE = "asked shares differ"
LIMITS = {
    "2,000 candidates x 60 items x 5 segments, 9,999 permutations": (30.0, None),
    "100,000 candidates x 60 items, no permutations": (10.0, 1000.0),
}


# --- studies with known truth


def seeded(part: str, *numbers: int) -> np.random.Generator:
    """Return a generator of its own for each part and study, so that neither order nor number matters."""
    return np.random.default_rng([SEED, crc32(part.encode()), *numbers])


def answers(rng: np.random.Generator, n: int, shares: Any) -> Flags:
    """Return who mentions what; shares per item, or per candidate and item."""
    from scipy.special import ndtri

    cut = ndtri(1 - np.broadcast_to(np.asarray(shares, dtype=float), (n, np.shape(shares)[-1])))
    talkative, own = rng.normal(size=(n, 1)), rng.normal(size=cut.shape)
    return np.asarray(np.sqrt(RHO) * talkative + np.sqrt(1 - RHO) * own > cut)


def as_mentions(said: Flags) -> pd.DataFrame:
    """Return the mentions of a matrix: candidate numbers and item_00 to item_59."""
    who, what = np.nonzero(said)
    names = np.array([f"item_{j:02d}" for j in range(said.shape[1])], dtype=object)
    return pd.DataFrame({"candidate_id": who, "item": names[what]})


def two_levels(group: int, n: int = N) -> pd.DataFrame:
    return pd.DataFrame({"candidate_id": range(n), "segment": ["group"] * group + ["rest"] * (n - group)})


def spread(works: Sequence[Callable[[], Any]], jobs: int) -> list[Any]:
    """Return what each work returns, done in so many processes."""
    if jobs == 1:
        return [work() for work in works]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        return list(pool.map(done, works, chunksize=max(1, len(works) // (16 * jobs))))


def done(work: Callable[[], Any]) -> Any:
    return work()


def shares_of(hits: list[Any]) -> pd.DataFrame:
    """Return share and Wilson interval of each key over studies."""
    frame = pd.DataFrame(hits)
    low, high = wilson(frame.sum().to_numpy(dtype=float), len(frame))
    return pd.DataFrame({"share": frame.mean(), "low": low, "high": high, "studies": len(frame)})


# --- null data


def null_study(i: int) -> dict[str, bool]:
    """Return which rules claim anything in a study without differences."""
    said = answers(seeded("null", i), N, SHARES)
    found = dt.crosstab(as_mentions(said), two_levels(GROUP), by="segment", random_state=i).to_frame()
    return {
        "verdict 'difference' (ours)": bool((found["verdict"] == "difference").any()),
        "p_wy at most .05": bool((found["p_wy"] <= 0.05).any()),
        "p_bh at most .05": bool((found["p_bh"] <= 0.05).any()),
        "p_value at most .05 (not adjusted)": bool((found["p_value"] <= 0.05).any()),
    }


def null(studies: int, jobs: int) -> Tables:
    table = (
        shares_of(spread([partial(null_study, i) for i in range(studies)], jobs))
        .rename_axis("any claim by")
        .reset_index()
    )
    table["aim"] = ["at most .065", "", "", ""]
    said = np.concatenate([answers(seeded("null", i), N, SHARES) for i in range(20)])
    correlation = float(np.corrcoef(said.T)[np.triu_indices(ITEMS, 1)].mean())
    title = (
        f"null data: {N} candidates, group of {GROUP}, {ITEMS} items (shares .05 to .50, mean correlation "
        f"{correlation:.2f}), 999 permutations; share of studies with any claim"
    )
    return [(title, table)]


# --- power


def power_study(i: int, *, group: int, gap: float) -> dict[str, bool]:
    shares = np.tile(SHARES, (N, 1))
    shares[:, PLANTED] = BASE
    shares[:group, PLANTED] += gap
    said = answers(seeded("power", group, round(100 * gap), i), N, shares)
    found = dt.crosstab(as_mentions(said), two_levels(group), by="segment", random_state=i).to_frame()
    mine = found["item"] == f"item_{PLANTED:02d}"
    different = found["verdict"] == "difference"
    return {
        "raw": bool((found.loc[mine, "p_value"] <= 0.05).any()),
        "difference": bool(different[mine].any()),
        "false": bool(different[~mine].any()),
    }


def power_of_sizes(studies: int, jobs: int) -> Tables:
    """Return power for planted sizes, from a fifth of the studies each."""
    n = max(1, studies // 5)
    cells = [(group, gap) for group in GROUPS for gap in GAPS]
    hits = spread([partial(power_study, i, group=group, gap=gap) for group, gap in cells for i in range(n)], jobs)
    rows = []
    for k, (group, gap) in enumerate(cells):
        share = shares_of(hits[k * n : (k + 1) * n])["share"]
        reach = float(minimum_detectable_gap(group, N - group, BASE))
        rows.append(
            {
                "group": f"{group} of {N}",
                "planted": f"{BASE:.0%} + {100 * gap:.0f} points",
                "predicted (stats.power, p .05)": float(power(group, N - group, BASE + gap, BASE)),
                "p_value at most .05": share["raw"],
                "verdict 'difference'": share["difference"],
                "any other item 'difference'": share["false"],
                "mde": f"{100 * reach:.0f} points",
            }
        )
    return [(f"power: one of {ITEMS} items differs, {n} studies per row", pd.DataFrame(rows))]


# --- intervals of audited differences


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Two sides (group, rest): true share, candidates, recall and false-positive rate of the tagger."""

    share: tuple[float, float]
    candidates: tuple[int, int]
    recall: tuple[float, float] = (0.6, 0.9)
    false_positive: tuple[float, float] = (0.1, 0.03)


SCENARIOS = {
    "S1: 30 % and 30 %": Scenario(share=(0.3, 0.3), candidates=(200, 600)),
    "S2: 30 % and 30 %, more candidates": Scenario(share=(0.3, 0.3), candidates=(800, 1200)),
    "S4: 5 % and 5 %, rare": Scenario(share=(0.05, 0.05), candidates=(200, 600), false_positive=(0.03, 0.01)),
}
REVIEWED = 50


def audit_study(i: int, *, name: str) -> dict[str, float]:
    """Return whether the audited and the naive interval hold the true difference, and their widths."""
    scenario, rng = SCENARIOS[name], seeded(name, i)
    sides, tagged = [], []
    for k in range(2):
        n = scenario.candidates[k]
        true = rng.random(n) < scenario.share[k]
        tag = rng.random(n) < np.where(true, scenario.recall[k], scenario.false_positive[k])
        looked = rng.choice(n, REVIEWED, replace=False)
        cells = [looked[tag[looked] == t] for t in (False, True)]
        sides.append(
            Audit(
                candidates=[int((~tag).sum()), int(tag.sum())],
                reviewed=[len(cell) for cell in cells],
                positive=[int(true[cell].sum()) for cell in cells],
            )
        )
        tagged.append(int(tag.sum()))
    found = audited_difference(sides[0], sides[1], random_state=i)
    low, high = (float(v) for v in newcombe(tagged[0], scenario.candidates[0], tagged[1], scenario.candidates[1]))
    truth = scenario.share[0] - scenario.share[1]
    return {
        "audited coverage": found.low <= truth <= found.high,
        "naive coverage": low <= truth <= high,
        "audited width": found.high - found.low,
        "naive width": high - low,
    }


def coverage(studies: int, jobs: int) -> Tables:
    """Return coverage over twice as many repetitions as there are studies."""
    n, rows = 2 * studies, []
    every = spread([partial(audit_study, i, name=name) for name in SCENARIOS for i in range(n)], jobs)
    for k, (name, scenario) in enumerate(SCENARIOS.items()):
        found = pd.DataFrame(every[k * n : (k + 1) * n]).astype(float).mean()
        sizes = " and ".join(str(n) for n in scenario.candidates)
        rows.append({"scenario": name, "candidates": sizes, **found, "aim": ".935-.985 (audited)"})
    title = (
        f"coverage of 95 % intervals, {REVIEWED} reviewed per side, no true difference, recall .60 and .90: "
        f"{n:,} repetitions"
    )
    return [(title, pd.DataFrame(rows))]


# --- sentences


def counting(studies: int, jobs: int) -> Tables:
    """Return false positives of counting sentences beside ours, over twice as many repetitions as there are studies.

    Every repetition is an item of one call of `dt.crosstab`, which gets a row per sentence: 20 and 20 candidates, a
    candidate's own rate Beta, and one comparison each, so p_value decides.
    """
    from scipy.stats import chi2_contingency

    del jobs
    n, repetitions, rng = 40, 2 * studies, seeded("counting")
    spoken = np.maximum(1, rng.poisson(SENTENCES, size=(repetitions, n)))
    rates = rng.beta(SAID * (1 / ICC - 1), (1 - SAID) * (1 / ICC - 1), size=spoken.shape)
    hits = rng.binomial(spoken, rates)
    run, who = np.nonzero(hits)
    rows = np.repeat(np.stack([run, who]), hits[run, who], axis=1)
    mentions = pd.DataFrame({"candidate_id": rows[1], "item": pd.Series(rows[0]).map("run_{:05d}".format)})
    found = dt.crosstab(mentions, two_levels(20, n), by="segment", permutations=0).to_frame()
    ours = (found.loc[found["level"] == "group", "p_value"] <= 0.05).sum() / repetitions
    naive = 0
    for x, m in zip(hits, spoken, strict=True):
        said, total = np.array([x[:20].sum(), x[20:].sum()]), np.array([m[:20].sum(), m[20:].sum()])
        counts = np.stack([said, total - said])
        naive += bool((counts.sum(axis=1) > 0).all() and chi2_contingency(counts, correction=False)[1] <= 0.05)
    table = pd.DataFrame(
        {
            "counted": ["sentences (chi-squared)", "candidates (ours)"],
            "false positives at .05": [naive / repetitions, ours],
        }
    )
    title = (
        f"20 and 20 candidates, about {SENTENCES} sentences each, intraclass correlation {ICC}, no true difference: "
        f"{repetitions:,} repetitions"
    )
    return [(title, table)]


def duplication(studies: int, jobs: int) -> Tables:
    """Return the largest change in any number of the findings when every row, or every passage, is there twice."""
    from benchmarks.planted import passages_twice

    del studies, jobs
    rng = seeded("duplication")
    said = as_mentions(answers(rng, N, SHARES))
    said = said.loc[np.repeat(said.index, rng.integers(1, 6, len(said)))].reset_index(drop=True)
    said["stance"] = rng.choice(["negative", "mixed", "positive"], len(said), p=[0.6, 0.2, 0.2])
    said["asked"] = rng.random(len(said)) < 0.5
    people = two_levels(40).assign(role=rng.choice(["engineer", "manager", "sales"], N))
    drawn = rng.choice(N, 40, replace=False)
    reviews = pd.DataFrame(
        [(who, item, rng.choice(["yes", "no"])) for who in drawn for item in sorted(set(said["item"]))],
        columns=["subject", "item", "decision"],
    ).assign(inclusion_probability=0.4)
    twice = pd.concat([said, said], ignore_index=True)
    ways: dict[str, dict[str, Any]] = {
        "simulated rows": {},
        "simulated rows, within roles": {"adjust_for": "role"},
        "simulated rows, audited": {"audit": reviews},
        "simulated rows, among those asked": {"among": "asked"},
    }
    rows = []
    for name, options in ways.items():
        pair = [dt.crosstab(mentions, people, by="segment", **options).to_frame() for mentions in (said, twice)]
        rows.append({"what is there twice": name, **changes(*pair)})
    rows.append({"what is there twice": "passages of the sample (gold codes)", **changes(*passages_twice())})
    return [("duplication: every row twice", pd.DataFrame(rows))]


def changes(once: pd.DataFrame, twice: pd.DataFrame) -> dict[str, Any]:
    """Return the largest change of the p-values, and whether the two findings tables are the same altogether."""
    names = ["p_value", "p_bh", "p_wy", "adjusted_p"]
    a, b = (frame[names].astype("Float64").to_numpy(dtype=float, na_value=-1.0) for frame in (once, twice))
    return {"findings": len(once), "largest change in a p": float(np.abs(a - b).max()), "identical": once.equals(twice)}


# --- asked or volunteered


def asked_study(i: int) -> dict[str, bool]:
    """Return what is said of an item that mostly one group is asked about; those asked do not differ."""
    rng, group = seeded("asked", i), 40
    said = answers(rng, N, SHARES)
    asked = rng.random(N) < np.where(np.arange(N) < group, 0.85, 0.2)
    said[:, PLANTED] = rng.random(N) < np.where(asked, 0.5, 0.05)
    item = f"item_{PLANTED:02d}"
    questions = pd.DataFrame({"candidate_id": np.flatnonzero(asked), "item": item, "n_passages": 0, "asked": True})
    mentions = pd.concat([as_mentions(said).assign(n_passages=1, asked=False), questions], ignore_index=True)
    row = {}
    for among in (None, "asked"):
        found = dt.crosstab(mentions, two_levels(group), by="segment", among=among, random_state=i).to_frame()
        level = found[(found["item"] == item) & (found["level"] == "group")].iloc[0]
        row[among] = (level["verdict"] == "difference", NOTE in str(level["note"]))
    return {
        "verdict 'difference', everybody counted": bool(row[None][0]),
        f"flagged: '{NOTE}'": bool(row[None][1]),
        "'difference' and not flagged": bool(row[None][0] and not row[None][1]),
        "verdict 'difference', among='asked'": bool(row["asked"][0]),
    }


def asked_bias(studies: int, jobs: int) -> Tables:
    """Return what is said of the biased item, from half of the studies."""
    n = max(1, studies // 2)
    table = (
        shares_of(spread([partial(asked_study, i) for i in range(n)], jobs))
        .rename_axis("the biased item")
        .reset_index()
    )
    title = (
        "asked bias: group of 40 of 100, 85 % of the group and 20 % of the rest are asked; of those asked half mention "
        f"the item, of others .05, in both; {n} studies"
    )
    return [(title, table)]


# --- the sample study, and speed


def sample_study(studies: int, jobs: int) -> Tables:
    from benchmarks.planted import tables

    del studies, jobs
    return tables()


def work(name: str) -> tuple[float, float, float]:
    """Return seconds and processor seconds of `dt.crosstab` on made data, and peak memory of this process in MB."""
    large = name.startswith("100,000")
    n, rng = (100_000 if large else 2_000), seeded("speed")
    mentions = as_mentions(answers(rng, n, np.linspace(0.03, 0.5, 60)))
    mentions = mentions.assign(kind="theme", n_passages=1, stance="negative", asked=rng.random(len(mentions)) < 0.3)
    levels = {f"segment_{k}": rng.integers(0, k, n).astype(str) for k in ((4,) if large else range(2, 7))}
    people = pd.DataFrame({"candidate_id": range(n), **levels})
    begun, busy = time.perf_counter(), time.process_time()
    dt.crosstab(mentions, people, by=list(levels), permutations=0 if large else 9_999)
    return time.perf_counter() - begun, time.process_time() - busy, peak_memory()


def peak_memory() -> float:
    """Return the peak of this process in MB; getrusage would count the process that started it too."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return float("nan")
    return int(status.read_text(encoding="utf-8").split("VmHWM:")[1].split()[0]) / 1024


def speed(studies: int, jobs: int) -> Tables:
    """Return seconds, processor seconds (of all cores: what other work does not lengthen) and peak memory."""
    del studies, jobs
    rows = []
    for name, (seconds, memory) in LIMITS.items():
        command = [sys.executable, "-m", "benchmarks.statistics", "--work", name]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise SystemExit(f"{name} failed:\n{ended.stderr}")
        took, processor, peak = json.loads(ended.stdout.splitlines()[-1])
        aim = f"under {seconds:.0f} s" + (f", {memory:.0f} MB" if memory else "")
        rows.append({"work": name, "seconds": took, "processor_seconds": processor, "peak_mb": peak, "aim": aim})
    return [(f"speed of dt.crosstab, {os.cpu_count()} cores, this machine now", pd.DataFrame(rows))]


PARTS: dict[str, Callable[[int, int], Tables]] = {
    "null": null,
    "power": power_of_sizes,
    "coverage": coverage,
    "counting": counting,
    "duplication": duplication,
    "asked": asked_bias,
    "planted": sample_study,
    "speed": speed,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", default=",".join(PARTS), help=f"parts, of: {', '.join(PARTS)}")
    parser.add_argument("--studies", type=int, default=1000, help="null studies; other parts take theirs from it")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--work", choices=list(LIMITS), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        print(json.dumps(work(given.work)))
        return
    wanted = given.part.split(",")
    unknown = sorted(set(wanted) - set(PARTS))
    if unknown:
        parser.error(f"no part {', '.join(unknown)}; there are: {', '.join(PARTS)}")
    os.environ.setdefault("OMP_NUM_THREADS", "1" if given.jobs > 1 else str(os.cpu_count()))  # of the processes begun
    for name in wanted:
        begun = time.perf_counter()
        for title, table in PARTS[name](given.studies, given.jobs):
            print(f"\n{title}\n{table.round(3).to_string(index=False)}")
        print(f"({name}: {time.perf_counter() - begun:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
