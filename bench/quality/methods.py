"""What is compared: scikit-learn's logit, XGBoost, and churn in a database.

Each function takes training and test rows (the column "churned" beside
numbers) and returns the test rows' probabilities and the seconds it took.
"""
import csv
import io
import json
import time

import numpy as np
import xgboost
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

ROUNDS = 200
ETA = .05


def parts(frame):
    """Columns to learn from, and labels"""
    return (frame.drop(columns=["churned", "user"], errors="ignore"),
            frame["churned"].to_numpy())


def numbers(train, test):
    """Text columns become one 0/1 column a level seen in training."""
    texts = [c for c in train if train[c].dtype == object]
    out = []
    for frame in (train, test):
        frame = frame.copy()
        for column in texts:
            levels = sorted(train[column].dropna().unique())
            for level in levels:
                frame[f"{column}={level}"] = (frame[column] == level).astype(int)
        out.append(frame.drop(columns=texts))
    return out


def logit(train, test):
    """Standardised, one-hot, missing as the mean with an indicator, C = 1."""
    train, test = numbers(train, test)
    x, y = parts(train)
    began = time.perf_counter()
    model = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler(),
                          LogisticRegression(max_iter=500))
    model.fit(x, y)
    return model.predict_proba(parts(test)[0])[:, 1], time.perf_counter() - began


def trees(depth):
    """XGBoost of a depth, 200 rounds, learning rate .05, missing as missing"""
    def fit(train, test):
        train, test = numbers(train, test)
        x, y = parts(train)
        began = time.perf_counter()
        model = xgboost.XGBClassifier(
            max_depth=depth, n_estimators=ROUNDS, learning_rate=ETA,
            tree_method="hist", random_state=1)
        model.fit(x.to_numpy(float), y)
        scores = model.predict_proba(parts(test)[0].to_numpy(float))[:, 1]
        return scores, time.perf_counter() - began
    return fit


def copy_in(cursor, table, frame):
    """A table with the frame's columns, and a number "id" a row."""
    def kind(values):
        if values.dtype == object:
            return "text"
        return "int" if np.issubdtype(values.dtype, np.integer) else "float8"
    names = ", ".join(f'"{c}" {kind(frame[c])}' for c in frame)
    cursor.execute(f"DROP TABLE IF EXISTS {table};"
                   f"CREATE TABLE {table} (id int, {names})")
    text = io.StringIO()
    frame.reset_index(drop=True).to_csv(text, header=False,
                                        quoting=csv.QUOTE_MINIMAL)
    text.seek(0)
    cursor.copy_expert(f"COPY {table} FROM STDIN (FORMAT csv)", text)


def churn(connection, encoding):
    """churn_fit with an encoding; fit.facts: what the model says of itself"""
    def fit(train, test):
        cursor = connection.cursor()
        copy_in(cursor, "train", train)
        copy_in(cursor, "test", test)
        options = {"key": "id", "encoding": encoding, "workers": 2}
        if "user" in train:
            options.update(key="user", exclude=["id"])
        began = time.perf_counter()
        cursor.execute("DROP TABLE IF EXISTS model; CREATE TABLE model AS "
                       "SELECT churn_fit(t, 'churned', %s) AS m FROM train t",
                       [json.dumps(options)])
        cursor.execute("SELECT churn_predict(m, t) FROM model, test t ORDER BY id")
        scores = np.array([row[0] for row in cursor.fetchall()])
        seconds = time.perf_counter() - began
        cursor.execute("SELECT churn_model_info(m) FROM model")
        fit.facts = cursor.fetchone()[0]
        return scores, seconds
    return fit
