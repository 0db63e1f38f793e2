"""Compare churn with scikit-learn's logit and XGBoost on identical splits.

usage: quality.py [--only TEXT] [--methods LIST]
Connects as the environment says (PGHOST, PGPORT, …); CHURN_DATA names the
folder of the public data sets, which are left out without it.
"""
import argparse
import os
import sys

import numpy as np
import psycopg2
from sklearn.metrics import log_loss, roc_auc_score

import methods
import real
import tables


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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--methods", default="")
    args = parser.parse_args()
    connection = psycopg2.connect("")
    connection.autocommit = True
    compared = {"logit": methods.logit, "XGBoost d3": methods.trees(3),
                "XGBoost d4": methods.trees(4)}
    for encoding in ("linear", "bins", "pairs", "auto"):
        compared[encoding] = methods.churn(connection, encoding)
    wanted = [m for m in args.methods.split(",") if m]
    sources = {name: (lambda name=name: tables.splits(name))
               for name in tables.TABLES}
    sources.update(real.sources(connection, os.environ.get("CHURN_DATA")))
    print("table|method|AUC|log-loss|calibration error|seconds")
    for name, source in sources.items():
        if args.only and args.only not in name:
            continue
        splits = list(source())
        for method, fit in compared.items():
            if wanted and method not in wanted:
                continue
            auc, loss, ece, seconds = measure(fit, splits)
            facts = getattr(fit, "facts", {}).get("provenance", {})
            print(f"{name}|{method}|{auc:.4f}|{loss:.4f}|{ece:.4f}|{seconds:.1f}",
                  file=sys.stdout, flush=True)
            if facts:
                print("   ", facts.get("encoding"), facts.get("c"),
                      facts.get("pairs"), file=sys.stderr)


if __name__ == "__main__":
    main()
