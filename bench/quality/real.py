"""The tables that are not generated here: telco, and snapshots of two shops.

Snapshots are those that churn_train makes: purged, the newest complete one
is the test. They have a column "user", so that folds keep a user whole.
"""
import gzip
import os

import pandas as pd


def telco(folder):
    """The five splits "row index divisible by 5 leaves k"; texts stay texts."""
    frame = pd.read_csv(os.path.join(folder, "telco_churn", "customers.csv.gz"))
    frame["churned"] = (frame.pop("churn") == "Yes").astype(int)
    frame = frame.drop(columns="customer_id")
    frame["total_charges"] = pd.to_numeric(frame["total_charges"], errors="coerce")
    for k in range(5):
        held = frame.index % 5 == k
        yield frame[~held], frame[held]


def snapshots(cursor, study, events, window):
    """Train a study on a table of events; (training rows, test rows)."""
    cursor.execute(f"SELECT max(ts)::date FROM {events}")
    cursor.execute("SELECT set_config('churn.today', %s, false)",
                   [str(cursor.fetchone()[0])])
    cursor.execute("SELECT churn_create_study(%s, churn_window => %s::interval,"
                   " lookback => '730 days', key_kinds => ARRAY['order'])",
                   [study, window])
    cursor.execute("SELECT churn_add_source(%s, %s, user_column => 'user_id',"
                   " time_column => 'ts', kind_column => 'kind',"
                   " amount_column => 'amount')", [study, events])
    cursor.execute("SELECT churn_train(%s, options => '{\"folds\": 0}')", [study])
    cursor.execute(f"SELECT * FROM {study}_features WHERE churned IS NOT NULL"
                   " ORDER BY as_of, user_id")
    frame = pd.DataFrame(cursor.fetchall(),
                         columns=[d.name for d in cursor.description])
    frame = frame.drop(columns=["as_of", "stage", "unknown_reason"])
    frame = frame.rename(columns={"user_id": "user"})
    frame["churned"] = frame["churned"].astype(int)
    rest = [c for c in frame if c not in ("user", "purpose")]
    frame[rest] = frame[rest].astype({c: float for c in rest if c != "churned"})
    frame = frame.dropna(axis="columns", how="all")
    test = frame.pop("purpose") == "test"
    yield frame[~test], frame[test]


def shop(connection):
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE shop_events AS SELECT user_id, ts, kind, amount"
                   " FROM churn_simulate(3000, 540, 1)")
    return snapshots(cursor, "shop", "shop_events", "60 days")


def retail(connection, folder):
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE invoices (user_id bigint, invoice_no text,"
                   " ts timestamp, amount numeric, items bigint, lines int,"
                   " country text, is_cancellation boolean)")
    path = os.path.join(folder, "online_retail", "invoices.csv.gz")
    with gzip.open(path, "rt") as file:
        cursor.copy_expert("COPY invoices FROM STDIN (FORMAT csv, HEADER)", file)
    cursor.execute("CREATE VIEW retail_events AS SELECT user_id, ts, amount,"
                   " CASE WHEN is_cancellation THEN 'refund' ELSE 'order' END AS kind"
                   " FROM invoices WHERE amount > 0 OR is_cancellation")
    return snapshots(cursor, "retail", "retail_events", "60 days")


def sources(connection, folder):
    """Names of the tables that can be had, each with a way to its splits"""
    found = {"simulated shop": lambda: shop(connection)}
    for name, part, splits in (
            ("telco", "telco_churn", lambda: telco(folder)),
            ("Online Retail", "online_retail", lambda: retail(connection, folder))):
        if folder and os.path.exists(os.path.join(folder, part)):
            found[name] = splits
    return found
