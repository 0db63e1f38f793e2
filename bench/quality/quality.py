"""Compare churn with scikit-learn's logit and XGBoost on identical splits.

usage: quality.py [--only TEXT] [--methods LIST] [--speed] [--output FILE]

  --only TEXT      tables whose name contains it
  --methods LIST   of the compared methods, by commas
  --speed          time 100,000 rows of 40 columns instead
  --output FILE    write the results there as Markdown; else print them

Connects as the environment says (PGHOST, PGPORT, …) to an empty database with
the extension; CHURN_DATA names the folder of the public data sets, which are
left out without it.
"""
import argparse
import os
import platform
import sys
import warnings

import numpy as np
import psycopg2
import sklearn
import xgboost
from sklearn.metrics import log_loss, roc_auc_score

import methods
import real
import speed
import tables

ENCODINGS = ("linear", "bins", "pairs", "auto")
TREES = ("XGBoost d3", "XGBoost d4")


def calibration_error(y, p, bins=10):
    """Mean distance of churn rate and mean score over equal-count bins."""
    order = np.argsort(p, kind="stable")
    return sum(len(part) * abs(y[part].mean() - p[part].mean())
               for part in np.array_split(order, bins)) / len(y)


def measure(fit, splits):
    """Mean AUC, log-loss, calibration error and seconds over splits"""
    rows = []
    for train, test in splits:
        p, seconds = fit(train, test)
        y = test["churned"].to_numpy()
        p = np.clip(p, 1e-12, 1 - 1e-12)
        rows.append([roc_auc_score(y, p), log_loss(y, p),
                     calibration_error(y, p), seconds])
    return np.mean(rows, axis=0)


def machine(connection):
    """What the figures were measured with; no names, no paths"""
    cpu = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            cpu = next(line.split(":")[1].strip() for line in file
                       if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return (f"{os.cpu_count()} cores of {cpu}; PostgreSQL "
            f"{connection.info.server_version // 10000}, scikit-learn "
            f"{sklearn.__version__}, XGBoost {xgboost.__version__}.")


def compare(connection, only, wanted, say):
    """A row of figures a table and method, handed to say() one by one."""
    compared = {"logit": methods.logit, TREES[0]: methods.trees(3),
                TREES[1]: methods.trees(4)}
    for encoding in ENCODINGS:
        compared[encoding] = methods.churn(connection, encoding)
    sources = {name: (lambda name=name: tables.splits(name))
               for name in tables.TABLES}
    sources.update(real.sources(connection, os.environ.get("CHURN_DATA")))
    for name, source in sources.items():
        if only not in name:
            continue
        splits = list(source())
        for method, fit in compared.items():
            if wanted and method not in wanted:
                continue
            say(name, splits, method, measure(fit, splits))


def summary(figures):
    """AUC by table, and the gap from auto to the better XGBoost"""
    yield ("| table | training rows | columns | logit | linear | bins | pairs | "
           "auto | best XGBoost | auto less that |")
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for name, (train, by_method) in figures.items():
        best = max(by_method[t][0] for t in TREES)
        cells = [f"{by_method[m][0]:.4f}" for m in ("logit", *ENCODINGS)]
        columns = train.shape[1] - 1 - ("user" in train)
        star = "" if tables.TABLES.get(name, (0, 0, 0, True))[3] else " *"
        yield (f"| {name}{star} | {len(train)} | {columns} | " + " | ".join(cells)
               + f" | {best:.4f} | {by_method['auto'][0] - best:+.4f} |")


def details(figures):
    """All figures"""
    yield "| table | method | AUC | log-loss | calibration error | seconds |"
    yield "|---|---|---|---|---|---|"
    for name, (_, by_method) in figures.items():
        for method, (auc, loss, error, seconds) in by_method.items():
            yield (f"| {name} | {method} | {auc:.4f} | {loss:.4f} | "
                   f"{error:.4f} | {seconds:.1f} |")


PREFACE = """\
# Quality, measured

Written by `tools/quality.sh`; do not edit. {machine}

Test AUC. Generated tables have 20,000 test rows each (bench/quality/tables.py
says what is in them; * are those with more than interactions of two), telco
the mean of five splits, the two shops the newest snapshot. XGBoost: depth 3
and 4, 200 rounds, learning rate .05, the better on the test rows. Calibration
error: mean distance of score and churn rate over ten bins of equal count.
"""


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--methods", default="")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--output")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    connection = psycopg2.connect("")
    connection.autocommit = True
    if args.speed:
        text = ["# Speed, measured", "",
                "Written by `tools/quality.sh --speed`; do not edit. "
                + machine(connection), "", speed.__doc__, "",
                "| way | seconds |", "|---|---|", *speed.lines(connection)]
    else:
        figures = {}

        def say(name, splits, method, row):
            entry = figures.setdefault(name, (splits[0][0], {}))
            entry[1][method] = row
            auc, loss, error, seconds = row
            print(f"{name}|{method}|{auc:.4f}|{loss:.4f}|{error:.4f}|{seconds:.1f}",
                  file=sys.stderr, flush=True)

        compare(connection, args.only, [m for m in args.methods.split(",") if m], say)
        if args.methods:
            return
        text = [PREFACE.format(machine=machine(connection)), *summary(figures),
                "", "All figures:", "", *details(figures)]
    if args.output:
        with open(args.output, "w", encoding="utf-8") as file:
            file.write("\n".join(text) + "\n")
    print("\n".join(text))


if __name__ == "__main__":
    main()
