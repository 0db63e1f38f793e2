"""Generated tables of customers, each with a kind of structure that a churn
model may meet. A table is a data frame of numbers (NaN: not known) with the
column "churned", and the number of its rows that train; the others, many, test.

Every table is a function of its seed alone.
"""
import numpy as np
import pandas as pd

TEST_ROWS = 20000


def outcome(rng, log_odds):
    """Draw who churned."""
    return (rng.random(len(log_odds)) < 1 / (1 + np.exp(-log_odds))).astype(int)


def finish(rng, columns, log_odds):
    frame = pd.DataFrame(columns)
    frame["churned"] = outcome(rng, np.asarray(log_odds, float))
    return frame


def curved(rng, n):
    """Curves of one column each: a wave, a valley, saturation, a step."""
    x = rng.random((n, 8))
    count = rng.geometric(0.15, n) - 1
    money = np.exp(rng.normal(3, 1.2, n))
    z = (1.2 * np.sin(6 * x[:, 0]) + 4 * np.abs(x[:, 1] - .5) - 1
         - 1.5 * np.minimum(count, 5) / 5 + 1.2 * (money > 40) + x[:, 2] - 1)
    columns = {f"x{i}": x[:, i] for i in range(8)}
    columns.update(count=count, money=money)
    return finish(rng, columns, z)


def interactions_of_two(rng, n):
    """Products, opposite steps without an effect alone, a slope for some."""
    x = rng.normal(size=(n, 10))
    group = rng.integers(0, 4, n)
    contract = rng.integers(0, 2, n)
    z = (1.0 * x[:, 0] * x[:, 1]
         + 1.5 * ((x[:, 2] > .3) ^ (x[:, 3] > -.4)) - .75
         + .8 * x[:, 4] * (group - 1.5)
         + .6 * x[:, 5] + 1.5 * (contract & (x[:, 6] > 0)) - 1)
    columns = {f"x{i}": x[:, i] for i in range(10)}
    columns.update({"group": group, "contract": contract})
    return finish(rng, columns, z)


def interactions_of_three(rng, n):
    """Three columns that matter together only, beside effects of one and two."""
    x = rng.normal(size=(n, 10))
    z = (2.5 * ((x[:, 0] > 0) & (x[:, 1] > -.3) & (x[:, 2] < .5))
         + 1.0 * x[:, 3] * x[:, 4] + .8 * np.abs(x[:, 5])
         + 1.0 * x[:, 6] * x[:, 7] * (x[:, 8] > 0) - 1.5)
    return finish(rng, {f"x{i}": x[:, i] for i in range(10)}, z)


def missing(rng, n):
    """What is not known says something, and how much hangs on another column."""
    x = rng.normal(size=(n, 8))
    gap = rng.random(n) < .3
    other = rng.random(n) < 1 / (1 + np.exp(-x[:, 3]))
    z = (np.where(gap, 1.5 * x[:, 1], 1.0 * np.sin(2 * x[:, 0]))
         + np.where(other, 1.0 - 2.0 * (x[:, 4] > 0), .5 * x[:, 3])
         + .7 * (gap & other) + .5 * x[:, 5] - .8)
    columns = {f"x{i}": x[:, i].copy() for i in range(8)}
    columns["x0"][gap] = np.nan
    columns["x3"][other] = np.nan
    columns["x7"][rng.random(n) < .1] = np.nan
    return finish(rng, columns, z)


def noise(rng, n):
    """Five columns that say something among 205."""
    x = rng.normal(size=(n, 205))
    z = (1.0 * x[:, 0] + 1.2 * np.sin(2 * x[:, 1]) + .9 * np.abs(x[:, 2])
         + .8 * x[:, 3] * x[:, 4] - 1.5)
    return finish(rng, {f"x{i}": x[:, i] for i in range(205)}, z)


def small(rng, n):
    """Few rows, thirty correlated columns on scales of 1 to 4 and money; 16 % leave."""
    latent = rng.normal(size=(n, 5))
    loads = rng.normal(size=(5, 30)) * .7
    x = latent @ loads + rng.normal(size=(n, 30))
    z = (.5 * x[:, 0] - .4 * x[:, 1] + .6 * (x[:, 2] > 1) + .3 * x[:, 3]
         + .8 * (x[:, 4] < -1) + .5 * x[:, 5] * (x[:, 6] > 0)
         + .3 * latent[:, 0] - 2.4)
    columns = {}
    for i in range(30):
        if i % 3 == 0:
            columns[f"x{i}"] = np.digitize(x[:, i], [-1.2, 0, 1.2]) + 1
        elif i % 3 == 1:
            columns[f"x{i}"] = np.round(np.exp(x[:, i] / 2 + 8))
        else:
            columns[f"x{i}"] = np.round(x[:, i] * 3 + 10)
    return finish(rng, columns, z)


def thresholds(rng, n):
    """Many rows; steps, valleys, and steps that need two columns."""
    x = rng.normal(size=(n, 16))
    balance = np.exp(rng.normal(7, 1.5, n))
    before = balance * np.exp(rng.normal(0, .5, n))
    days = rng.integers(0, 400, n)
    age = rng.integers(18, 80, n)
    z = (1.5 * (balance < 1000) + 2.0 * (balance < .7 * before)
         - 1.0 * (days < 30) + .8 * (days > 370)
         + 1.2 * ((x[:, 0] > 1.2) & (x[:, 1] < .2)) - .8 * (x[:, 2] > .9)
         + 1.0 * (x[:, 3] < -1.7) + .5 * ((x[:, 4] > 0) ^ (x[:, 5] > 0))
         + .02 * np.abs(age - 45) - 2.6)
    columns = {f"x{i}": x[:, i] for i in range(16)}
    columns.update(balance=balance, before=before, days=days, age=age)
    return finish(rng, columns, z)


def card(rng, n):
    """Transactions and their amount: groups of users, each with a boundary of
    its own in the plane of both, and a balance of 0 that changes it."""
    kind = rng.choice(4, n, p=[.45, .35, .12, .08])
    count = np.maximum(10, np.round(rng.normal(
        np.array([40, 70, 85, 110])[kind], 9 + 2 * kind)))
    amount = np.round(np.exp(rng.normal(
        np.array([7.4, 8.35, 9.0, 9.55])[kind], .18)))
    revolving = np.where(rng.random(n) < .3, 0,
                         np.round(rng.uniform(300, 2517, n)))
    relations = rng.integers(1, 7, n)
    change = np.exp(rng.normal(-.3, .25, n))
    limit = np.round(np.exp(rng.normal(8.7, .9, n)))
    utilisation = np.round(np.minimum(1, revolving / limit), 3)
    inactive = rng.integers(0, 7, n)
    age = np.round(rng.normal(46, 8, n))
    contacts = rng.integers(0, 7, n)
    expected = np.array([38, 68, 83, 108])[kind] + (np.log(amount) - np.array(
        [7.4, 8.35, 9.0, 9.55])[kind]) * 22
    z = 1.5 * (-.45 * (count - expected + 9) + 3.0 * (revolving == 0)
         - 2.0 * ((revolving > 600) & (count > 45)) - 4.5 * (change - .7)
         - 1.0 * (relations - 3) * (kind < 2) + .7 * (contacts - 2)
         + .5 * np.minimum(inactive, 3) - 3.4)
    columns = dict(age=age, relations=relations, inactive=inactive,
                   contacts=contacts, credit_limit=limit, revolving=revolving,
                   open_to_buy=limit - revolving, change=change,
                   amount=amount, count=count,
                   count_change=np.exp(rng.normal(-.35, .3, n)) + .1 * change,
                   utilisation=utilisation)
    for i in range(7):
        columns[f"x{i}"] = rng.integers(0, 5, n)
    return finish(rng, columns, z)


def products(rng, n):
    """A bank's few columns: a hill over age that activity bends, products."""
    age = np.clip(np.round(rng.gamma(9, 4.3, n)), 18, 92)
    number = rng.choice([1, 2, 3, 4], n, p=[.51, .46, .024, .006])
    active = rng.integers(0, 2, n)
    balance = np.where(rng.random(n) < .36, 0, rng.normal(120000, 30000, n))
    country = rng.choice(3, n, p=[.5, .25, .25])
    woman = rng.integers(0, 2, n)
    z = (2.2 * np.exp(-((age - 54) / 13) ** 2) * (1.4 - .8 * active)
         - .9 * active * (age > 45) + np.array([0, -1.6, 2.2, 4.0])[number - 1]
         + 1.0 * (country == 1) * (balance > 0) + .8 * (balance == 0) * (number == 1)
         + .5 * woman - 2.1)
    columns = dict(credit_score=np.round(rng.normal(650, 96, n)), age=age,
                   tenure=rng.integers(0, 11, n), balance=balance,
                   products=number, card=rng.integers(0, 2, n), active=active,
                   salary=rng.uniform(10, 200000, n),
                   country_b=(country == 1).astype(int),
                   country_c=(country == 2).astype(int),
                   woman=woman)
    return finish(rng, columns, z)


def tariffs(rng, n):
    """Calls and plans: a bill beyond a limit unless a plan covers it, many
    calls to the service, a plan that only heavy users regret."""
    day = np.maximum(0, rng.normal(180, 54, n))
    evening = np.maximum(0, rng.normal(200, 50, n))
    night = np.maximum(0, rng.normal(200, 50, n))
    abroad = np.maximum(0, rng.normal(10.2, 2.8, n))
    abroad_calls = rng.poisson(4.4, n)
    mail = (rng.random(n) < .27).astype(int)
    abroad_plan = (rng.random(n) < .1).astype(int)
    service = rng.poisson(1.55, n)
    bill = .17 * day + .085 * evening + .045 * night + .27 * abroad
    dear = (bill > 66) & (mail == 0)
    z = -3.4 + 5.5 * dear + 4.5 * ((service > 3) & (bill < 54)) \
        + 5.5 * (abroad_plan & ((abroad_calls < 3) | (abroad > 13)))
    columns = dict(day=day, evening=evening, night=night, abroad=abroad,
                   day_charge=np.round(.17 * day, 2),
                   evening_charge=np.round(.085 * evening, 2),
                   abroad_calls=abroad_calls, mail=mail,
                   messages=np.where(mail == 1, rng.poisson(29, n), 0),
                   abroad_plan=abroad_plan, service=service,
                   length=np.round(rng.normal(101, 40, n)))
    for i in range(7):
        columns[f"x{i}"] = rng.poisson(100, n)
    return finish(rng, columns, z)


def correlated(rng, n):
    """Forty columns that repeat four hidden ones, as windows of behaviour do."""
    hidden = rng.normal(size=(n, 4))
    x = np.empty((n, 40))
    for i in range(40):
        x[:, i] = hidden[:, i % 4] + rng.normal(size=n) * (.2 + .08 * (i // 4))
    z = (1.2 * np.tanh(hidden[:, 0]) + .9 * np.abs(hidden[:, 1])
         + .8 * hidden[:, 2] * hidden[:, 3] + .5 * (x[:, 4] > 1) - 1.4)
    return finish(rng, {f"x{i}": x[:, i] for i in range(40)}, z)


# name: generator, training rows, seeds, interactions of at most two?
TABLES = {
    "curved": (curved, 8000, 1, True),
    "interactions of two": (interactions_of_two, 8000, 1, True),
    "interactions of three": (interactions_of_three, 8000, 1, False),
    "missing": (missing, 8000, 1, True),
    "200 noise columns": (noise, 4000, 1, True),
    "small": (small, 1500, 3, True),
    "thresholds": (thresholds, 30000, 1, True),
    "card": (card, 8000, 1, False),
    "products": (products, 8000, 2, True),
    "tariffs": (tariffs, 4000, 2, False),
    "correlated": (correlated, 10000, 1, True),
}


def splits(name):
    """(training rows, test rows) of a generated table, one a seed."""
    make, rows, seeds, _ = TABLES[name]
    for seed in range(seeds):
        # the generator's own place in the list makes its numbers its own
        rng = np.random.default_rng([seed, list(TABLES).index(name)])
        frame = make(rng, rows + TEST_ROWS)
        yield frame[:rows], frame[rows:]
