-- The whole road on a table or view "events" (user_id, ts, kind, amount):
-- what churn means, is it feasible, train, test, score, explain.
-- psql variables: source (retail or shop), active (interval of the active window),
-- page (file to write the report to).
\set QUIET on
\pset footer off
\pset border 1
\pset linestyle unicode
\pset null ''
SET client_min_messages = warning;
SELECT :'source' = 'shop' AS simulated \gset

-- data that ended in the past: their last, unfinished day stands for today
SELECT max(ts)::date AS today FROM events \gset
ALTER DATABASE churn_demo SET churn.today = :'today';
SET churn.today = :'today';

\echo
\echo '══ 1. The data ════════════════════════════════════════════════════════'
\echo
SELECT kind, to_char(count(*), '9,999,999') AS events,
    to_char(count(DISTINCT user_id), '999,999') AS users,
    min(ts)::date AS first, max(ts)::date AS last,
    to_char(sum(amount), '99,999,990.00') AS money
FROM events GROUP BY kind ORDER BY count(*) DESC;
\echo 'Today is' :today 'in what follows.'
\echo

\echo '══ 2. What churn means here ═══════════════════════════════════════════'
\echo
SELECT churn_create_study('shop', churn_window => '90 days', lookback => '730 days',
    active_window => :active, key_kinds => ARRAY['order']) \g /dev/null
SELECT churn_add_source('shop', 'events', user_column => 'user_id',
    time_column => 'ts', kind_column => 'kind', amount_column => 'amount') \g /dev/null
SELECT meaning FROM churn_definitions WHERE study = 'shop' \gset
\echo :meaning
\echo

\echo '══ 3. Can it be learnt? Snapshots whose outcome is known ══════════════'
\echo
CREATE TEMP TABLE feasible AS SELECT * FROM churn_feasible('shop');
SELECT as_of AS "as of", purpose AS "used to", to_char(history_days, '9,999') || ' days' AS history,
    to_char(users, '999,999') AS "at risk", to_char(churned, '999,999') AS "left",
    to_char(stayed, '999,999') AS stayed, to_char(100 * churn_rate, '990.0') || '%' AS "churn rate"
FROM feasible WHERE as_of IS NOT NULL ORDER BY as_of;
SELECT coalesce(string_agg(as_of || ': ' || verdict, '; '), '') AS poor
FROM feasible WHERE as_of IS NOT NULL AND least(churned, stayed) < 200 \gset
SELECT verdict FROM feasible WHERE purpose = 'verdict' \gset
\echo 'Verdict:' :verdict :poor
\echo

\echo '══ 4. Train on the past, test on what came after ══════════════════════'
\echo
CREATE TEMP TABLE training AS SELECT * FROM churn_train('shop', options => '{"max_search_rows": 5000}');
SELECT format('Model %s learnt from %s rows of %s snapshots, then scored the %s users at risk on %s: %s.',
    version, trim(to_char(rows, '99,999,999')), cardinality(snapshots),
    trim(to_char(test_rows, '9,999,999')), test_date,
    CASE status WHEN 'champion' THEN 'it is the champion' ELSE coalesce(gate, status) END) AS trained
FROM training \gset
\echo :trained
\echo 'AUC: how often somebody who left is ranked above somebody who stayed.'
\echo
CREATE TEMP TABLE rankings AS
    SELECT v.* FROM training, LATERAL (VALUES (1, 'recency alone', recency_auc),
        (2, 'order days alone', key_days_auc), (3, 'the model', training.auc)) AS v (line, name, auc);
\if :simulated
-- the shop is simulated, so each user's own probability is known
INSERT INTO rankings
    SELECT 4, 'the truth, which no model reaches', churn_auc(t.p_no_order, s.churned)
    FROM shop_snapshots AS s
    JOIN training ON training.test_date = s.as_of
    JOIN churn_simulate_truth(20000, 540, 1,
        as_of => (SELECT test_date FROM training), window_days => 90) AS t USING (user_id)
    WHERE s.purpose = 'test';
\endif
SELECT name AS "ranked by", to_char(auc, '0.000') AS auc,
    repeat('█', round((auc - .5) * 100)::int) AS "0.5 is a coin, 1 is perfect"
FROM rankings ORDER BY line;
\if :simulated
SELECT to_char(100 * (model.auc - best.auc) / (truth.auc - best.auc), 'FM990') || '%' AS share
FROM (SELECT max(auc) AS auc FROM rankings WHERE line < 3) AS best,
    rankings AS model, rankings AS truth WHERE model.line = 3 AND truth.line = 4 \gset
\echo 'The shop is simulated, so the truth is known: each user''s own probability.'
\echo 'Share of the way from the best baseline to the truth:' :share
\echo
\endif
SELECT v.name AS "on the test users", v.figure, v.meaning
FROM training, LATERAL (VALUES
    ('left', to_char(100 * test_churn_rate, '990.0') || '%', 'had no order in the 90 days after'),
    ('predicted', to_char(100 * mean_score, '990.0') || '%', 'mean score'),
    ('lift', to_char(top_decile_lift, '990.00'), 'times that rate among the tenth with the highest scores'),
    ('KS', to_char(ks, '990.000'), 'widest gap between the shares of leavers and stayers caught'),
    ('log-loss', to_char(log_loss, '990.000'), format('%s when everybody gets the rate itself; less is better',
        to_char(-test_churn_rate * ln(test_churn_rate) - (1 - test_churn_rate) * ln(1 - test_churn_rate), 'FM0.000')))
    ) AS v (name, figure, meaning);

\echo 'What it was asked before it may score, and what it showed:'
\echo
SELECT target, asked, trim_scale(round(measured::numeric, 3)) AS measured,
    '[' || to_char(lower, 'FM0.000') || ', ' || to_char(upper, 'FM0.000') || ']' AS "95% interval",
    to_char(n, '999,999') AS users, CASE WHEN pass THEN 'yes' ELSE reason END AS met
FROM training, churn_verdict('shop', version);
\echo 'Whom it ranks worst:'
\echo
SELECT s.value AS stage, to_char(s.n, '999,999') AS users, to_char(100 * s.base_rate, '990.0') || '%' AS "left",
    to_char(100 * s.mean_score, '990.0') || '%' AS predicted, to_char(s.auc, '0.000') AS auc,
    '[' || to_char(s.auc_lower, 'FM0.000') || ', ' || to_char(s.auc_upper, 'FM0.000') || ']' AS "95% interval", s.note
FROM training AS t, churn_slices('shop', t.version) AS s;

\echo '══ 5. Score everybody ═════════════════════════════════════════════════'
\echo
CALL churn_refresh('shop');
SELECT band, to_char(count(*), '999,999') AS users,
    to_char(100 * avg(score), '990.0') || '%' AS "mean score",
    to_char(sum(value), '99,999,990.00') AS "their year's sales",
    to_char(sum(value_at_risk), '99,999,990.00') AS "at risk"
FROM shop_churn GROUP BY band ORDER BY avg(score) DESC;

\echo '══ 6. Ten users worth a call today, and why ═══════════════════════════'
\echo 'More likely to leave than to stay, the most money at risk first.'
\echo
WITH ten AS (
    SELECT row_number() OVER (ORDER BY value_at_risk DESC NULLS LAST, user_id) AS rank, *
    FROM shop_churn WHERE score > .5
    ORDER BY rank LIMIT 10
)
SELECT CASE WHEN line = 1 THEN user_id END AS "user",
    CASE WHEN line = 1 THEN to_char(100 * score, '990') || '%' END AS leaves,
    CASE WHEN line = 1 THEN stage END AS stage,
    CASE WHEN line = 1 THEN to_char(value, '999,990.00') END AS "a year's sales",
    CASE WHEN line = 1 THEN to_char(value_at_risk, '999,990.00') END AS "at risk",
    reason AS because
FROM ten LEFT JOIN LATERAL unnest(reasons) WITH ORDINALITY AS r (reason, line) ON true
ORDER BY rank, line;

\echo '══ 7. The first of them, asked live ═══════════════════════════════════'
\echo
SELECT user_id AS one FROM shop_churn WHERE score > .5
ORDER BY value_at_risk DESC NULLS LAST, user_id LIMIT 1 \gset
SELECT to_char(churn_score(:'one'), 'FM0.0000') AS score \gset
\echo 'SELECT churn_score(':one');  →' :score
\echo 'SELECT * FROM churn_explain(':one');'
\echo
-- the six features that raise the risk most, the three that lower it most
CREATE TEMP TABLE explained AS
    SELECT e.*, CASE WHEN feature = '(base)' THEN 1 WHEN rank <= 6 AND contribution > 0 THEN 2
        WHEN rank <= 3 AND contribution < 0 THEN 4 ELSE 5 END AS part
    FROM (SELECT *, row_number() OVER (PARTITION BY feature <> '(base)' AND contribution > 0,
            feature <> '(base)' AND contribution < 0
            ORDER BY abs(contribution) DESC, feature) AS rank
        FROM churn_explain(:'one')) AS e;
SELECT phrase, to_char(contribution, 'S990.00') AS "log-odds",
    CASE WHEN part IN (2, 4, 5) THEN repeat(CASE WHEN contribution > 0 THEN '▲' ELSE '▽' END,
        least(30, round(abs(contribution) * 20))::int) END AS "▲ raises, ▽ lowers"
FROM (
    SELECT part, contribution, phrase FROM explained WHERE part < 5
    UNION ALL
    SELECT 5, sum(contribution), format('%s more features', count(*)) FROM explained WHERE part = 5
    UNION ALL
    SELECT 6, sum(contribution), format('together: a score of %s',
        to_char(100 / (1 + exp(-sum(contribution))), 'FM990.0') || '%') FROM explained
) AS lines
ORDER BY part, CASE WHEN part = 2 THEN -contribution ELSE contribution END;

\echo '══ 8. All of it on one page ═══════════════════════════════════════════'
\echo
\pset tuples_only on
\pset format unaligned
\o :page
SELECT churn_report('shop');
\o
\echo 'SELECT churn_report(''shop'');  → a page to open in a browser:'
\echo :page
