#!/usr/bin/python3
"""The constants of test/solvers.sql: scikit-learn's liblinear solver on a small
table of whole-number formulas, columns standardised as churn_fit does.

usage: liblinear.py        prints rows (penalty, c, name, number)
"""
import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression

warnings.filterwarnings("ignore")
i = np.arange(1, 601)
columns = {
    "tenure": i * 7919 % 61,
    "charge": i * 104729 % 97 + 20,
    "tickets": i * 31 % 7,
    "visits": i * i * 13 % 101,
    "noise": i * 211 % 53,
}
lot = i * 15485863 % 1009 / 1009
z = 1.5 - columns["tenure"] / 20 + columns["tickets"] / 4 + columns["charge"] / 100 - columns["visits"] / 50
y = lot < 1 / (1 + np.exp(-z))
x = np.column_stack([(v - v.mean()) / v.std() for v in columns.values()])

for penalty in ("l2", "l1"):
    for c in (0.01, 0.1, 1.0, 10.0):
        fit = LogisticRegression(penalty=penalty, C=c, solver="liblinear", intercept_scaling=100,
                                 tol=1e-10, max_iter=100000, random_state=1).fit(x, y)
        w, b = fit.coef_[0], fit.intercept_[0]
        size = (w ** 2).sum() / 2 if penalty == "l2" else np.abs(w).sum()
        log_odds = x @ w + b
        loss = np.log1p(np.exp(np.where(y, -log_odds, log_odds))).sum()
        rows = [("objective", size + c * loss), ("mean square", (1 / (1 + np.exp(-log_odds)) ** 2).mean()),
                ("intercept", b)] + list(zip(columns, w))
        for name, number in rows:
            print(f"    ('{penalty}', {c:g}, '{name}', {number:.12g}),")
