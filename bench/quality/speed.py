"""Wall time of a fit inside the database against the way around it.

100,000 rows of 40 columns. Inside: churn_fit with encoding "auto" and scores
of all rows in a table. Around: COPY out, XGBoost (depth 3, learning rate .05)
with the number of rounds chosen by 5 folds, COPY of the scores back in.
"""
import io
import json
import time

import numpy as np
import pandas as pd
import xgboost

import methods
import tables

ROWS = 100000
MOST_ROUNDS = 400
PATIENCE = 20


def table(rng, n):
    """Forty columns; curves, thresholds and two interactions among them."""
    x = rng.normal(size=(n, 40))
    z = (np.sin(2 * x[:, 0]) + .8 * (x[:, 1] > .5) + x[:, 2] * x[:, 3]
         + .5 * np.abs(x[:, 4]) + .7 * ((x[:, 5] > 0) ^ (x[:, 6] > 0))
         + .2 * x[:, 7:12].sum(axis=1) - 1.5)
    return tables.finish(rng, {f"x{i}": x[:, i] for i in range(40)}, z)


def inside(cursor):
    began = time.perf_counter()
    cursor.execute("CREATE TABLE inside AS SELECT id, churn_predict(m, t) AS score"
                   " FROM speed t, (SELECT churn_fit(t, 'churned', %s) AS m"
                   " FROM speed t) f",
                   [json.dumps({"key": "id", "encoding": "auto"})])
    return time.perf_counter() - began


def around(cursor):
    began = time.perf_counter()
    text = io.StringIO()
    cursor.copy_expert("COPY speed TO STDOUT (FORMAT csv, HEADER)", text)
    text.seek(0)
    frame = pd.read_csv(text)
    data = xgboost.DMatrix(frame.drop(columns=["id", "churned"]).to_numpy(),
                           frame["churned"])
    settings = {"max_depth": 3, "eta": .05, "tree_method": "hist",
                "objective": "binary:logistic", "eval_metric": "logloss"}
    found = xgboost.cv(settings, data, MOST_ROUNDS, nfold=5, seed=1,
                       early_stopping_rounds=PATIENCE)
    model = xgboost.train(settings, data, len(found))
    scores = pd.DataFrame({"id": frame["id"], "score": model.predict(data)})
    text = io.StringIO()
    scores.to_csv(text, header=False, index=False)
    text.seek(0)
    cursor.execute("CREATE TABLE around (id int, score float8)")
    cursor.copy_expert("COPY around FROM STDIN (FORMAT csv)", text)
    return time.perf_counter() - began


def lines(connection, runs=3):
    """The least of some runs each, taken in turn, and their ratio"""
    cursor = connection.cursor()
    methods.copy_in(cursor, "speed", table(np.random.default_rng(7), ROWS))
    seconds = {inside: [], around: []}
    for _ in range(runs):
        for way in (inside, around):
            cursor.execute("DROP TABLE IF EXISTS inside, around")
            seconds[way].append(way(cursor))
    within, without = min(seconds[inside]), min(seconds[around])
    return [f"| inside, `churn_fit` with `auto` and scores | {within:.1f} |",
            f"| COPY out, XGBoost with 5 folds, COPY back | {without:.1f} |",
            f"| ratio | {within / without:.2f} |"]
