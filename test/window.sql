-- churn_survival and its curve against R and plain SQL; churn_return_curve
-- against plain SQL; churn_window_table on a simulated shop.
SET client_min_messages = warning;
SET timezone = 'UTC';
SELECT plan(72);
CREATE FUNCTION near(have float8, want float8, tolerance float8, what text) RETURNS text
LANGUAGE sql AS $$ SELECT ok(abs(have - want) <= tolerance, what || ': ' || coalesce(have::text, 'NULL')) $$;

-- The aggregate ------------------------------------------------------------------
CREATE TABLE gap AS SELECT g AS n, (g * 7919 % 211) AS days, g * 104729 % 10 < 6 AS ended FROM generate_series(1, 5000) AS g;
SELECT is((SELECT churn_survival(days, ended) FROM gap WHERE false), NULL, 'no rows');
SELECT is((SELECT churn_survival(NULL::int, NULL::boolean) FROM gap), NULL, 'only NULLs');
SELECT is((SELECT churn_survival(d, e) FROM (VALUES (2, true), (NULL, true), (2, NULL)) AS v (d, e)), '{{0,0},{0,0},{1,0}}', 'NULLs are ignored');
SELECT is((SELECT churn_survival(0, false)), '{{0,1}}', 'one row, of no days');
SELECT is((SELECT churn_survival(3, true, 5)), '{{0,0},{0,0},{0,0},{5,0}}', 'a row that stands for five');
SELECT is((SELECT churn_survival(3, true, 0)), NULL, 'a row that stands for none');
SELECT is((SELECT churn_survival(days, ended) FROM gap), (SELECT churn_survival(days, ended ORDER BY n DESC) FROM gap), 'order does not matter');
SELECT is((SELECT churn_survival(days, ended) FROM gap),
    (SELECT churn_survival(days, ended, times) FROM (SELECT days, ended, count(*) AS times FROM gap GROUP BY 1, 2) AS g), 'counted before');
SELECT is((SELECT churn_survival(days, ended) FROM gap),
    (SELECT array_agg(pair ORDER BY d) FROM (SELECT d, ARRAY[count(g.n) FILTER (WHERE g.ended), count(g.n) FILTER (WHERE NOT g.ended)] AS pair
        FROM generate_series(0, 210) AS d LEFT JOIN gap AS g ON g.days = d GROUP BY d) AS p), 'the counts are those of plain SQL');
SELECT is((SELECT churn_survival(days, ended) FROM gap)::text::bigint[], (SELECT churn_survival(days, ended) FROM gap), 'text loses nothing');
SELECT is((SELECT count(*) FROM (SELECT churn_survival(days, ended) FROM gap GROUP BY n % 500) AS g), 500::bigint, 'many groups');
SELECT throws_ok($$SELECT churn_survival(-1, true)$$, '22003');
SELECT throws_ok($$SELECT churn_survival(36501, true)$$, '22003');
SELECT throws_ok($$SELECT churn_survival(1, true, -1)$$, '22003');
SELECT is(cardinality((SELECT churn_survival(36500, true))), 2 * 36501, 'the longest duration');
SELECT throws_ok($$SELECT * FROM churn_survival_curve('{1,2,3}')$$, '22023');
SELECT throws_ok($$SELECT * FROM churn_survival_curve('{{1,2,3}}')$$, '22023');
SELECT throws_ok($$SELECT * FROM churn_survival_curve('{{1,NULL}}')$$, '22023');
SELECT throws_ok($$SELECT * FROM churn_survival_curve('{{-1,2}}')$$, '22003');
SELECT throws_ok($$SELECT * FROM churn_survival_curve('{{1,2}}', 1)$$, '22023');
SELECT throws_ok($$SELECT churn_survival_trans('{{1,2}}', 1, true)$$, 'XX000', NULL, 'not to be called by hand');
SELECT is_empty($$SELECT * FROM churn_survival_curve('{}')$$, 'nothing, no curve');
SELECT is_empty($$SELECT * FROM churn_survival_curve(NULL)$$, 'NULL, no curve');
-- parallel
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
CREATE FUNCTION plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; lines text := '';
BEGIN FOR line IN EXECUTE 'EXPLAIN ' || query LOOP lines := lines || line || E'\n'; END LOOP; RETURN lines; END $$;
SELECT matches(plan_of('SELECT churn_survival(days, ended) FROM gap'), 'Partial Aggregate', 'a parallel plan');
SELECT is((SELECT churn_survival(days, ended) FROM gap), (SELECT churn_survival(days, ended) FROM (SELECT * FROM gap OFFSET 0) AS g), 'gives the serial result');
SELECT is((SELECT churn_survival(days, ended) FROM gap WHERE n = 77), (SELECT churn_survival(days, ended) FROM (SELECT * FROM gap WHERE n = 77 OFFSET 0) AS g), 'workers that see no row');
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
-- Kaplan-Meier by hand: Collett's textbook form over plain SQL
SELECT is((SELECT count(*) FROM churn_survival_curve((SELECT churn_survival(days, ended) FROM gap)) AS c
    JOIN (SELECT d AS day, exp(sum(ln(1 - dead::float8 / risk)) OVER (ORDER BY d)) AS s,
            sqrt(sum(dead::float8 / (risk * (risk - dead)::float8)) OVER (ORDER BY d)) AS e
          FROM (SELECT d, (SELECT count(*) FROM gap WHERE days >= d) AS risk, (SELECT count(*) FROM gap WHERE days = d AND ended) AS dead
                FROM generate_series(0, 209) AS d) AS r) AS p USING (day)
    WHERE abs(c.survival - p.s) < 1e-12 AND abs(c.std_error - p.s * p.e) < 1e-12), 210::bigint, 'survival and Greenwood against plain SQL to 1e-12');
SELECT ok(survival = 0 AND std_error IS NULL AND lower IS NULL, 'all have ended: no band') FROM churn_survival_curve('{{0,0},{1,0}}') WHERE day = 1;

-- cdnow_sample against R ----------------------------------------------------------
\set file `f="${CHURN_DATA:-/nowhere}/cdnow_sample/transactions.csv.gz"; test -r "$f" && echo "$f"`
SELECT :'file' = '' AS missing \gset
\if :missing
SELECT skip('cdnow_sample is not there: set CHURN_DATA', 17);
\else
CREATE TABLE transactions (customer_id int, master_customer_id int, order_date date, cds int, amount numeric);
\setenv TRANSACTIONS :file
\copy transactions FROM PROGRAM 'gzip -dc "$TRANSACTIONS"' CSV HEADER
SET churn.today = '1998-07-01';
SELECT churn_create_study('cdnow', churn_window => '90 days');
SELECT churn_add_source('cdnow', 'transactions', user_column => 'customer_id', time_column => 'order_date', amount_column => 'amount', kind => 'order');
-- the last purchase is of 1998-06-30, a whole day, for times are dates
CREATE TABLE curve AS SELECT * FROM churn_return_curve('cdnow');
CREATE TABLE plain AS
SELECT customer_id, lead(order_date, 1, date '1998-06-30') OVER w - order_date AS days, lead(order_date) OVER w IS NOT NULL AS ended
FROM (SELECT DISTINCT customer_id, order_date FROM transactions) AS d WINDOW w AS (PARTITION BY customer_id ORDER BY order_date);
SELECT is((SELECT sum(ended) FROM curve), (SELECT count(*)::numeric FROM plain WHERE ended), 'completed gaps');
SELECT is((SELECT sum(open) FROM curve), 2357::numeric, 'an open gap a customer');
SELECT is_empty($$SELECT c.day, share_gaps, p.share FROM curve AS c JOIN LATERAL
    (SELECT avg((days <= c.day)::int)::float8 AS share FROM plain WHERE ended) AS p ON abs(p.share - share_gaps) > 1e-12$$, 'share of gaps against plain SQL');
SELECT is_empty($$SELECT c.day, share_users, p.share FROM curve AS c JOIN LATERAL
    (SELECT avg(own) AS share FROM (SELECT avg((days <= c.day)::int)::float8 AS own FROM plain WHERE ended GROUP BY customer_id) AS u) AS p
    ON abs(p.share - share_users) > 1e-12$$, 'share of users against plain SQL');
SELECT cmp_ok(share_gaps - share_users, '>', .1::float8, 'they differ much at 30 days: ' || share_gaps || ', ' || share_users) FROM curve WHERE day = 30;
SELECT is((SELECT count(*) FROM curve WHERE elbow), 1::bigint, 'one elbow');
SELECT is((SELECT array_agg(day ORDER BY day) FROM curve), ARRAY(SELECT generate_series(0, (SELECT max(days) FROM plain))), 'a row a day');
-- constants, by R 4.2.2 and survival 3.5.3: survfit(Surv(days, ended) ~ 1, conf.type = "log-log")
SELECT near(1 - c.returned, v.s, 1e-6, format('not returned within %s days', day)) FROM curve AS c
JOIN (VALUES (30, .688824356737), (90, .503224955299), (180, .403722149646), (365, .329478423075)) AS v (day, s) USING (day) ORDER BY day;
SELECT near(1 - upper, .391605408510, 1e-6, 'upper bound of returned at 180 days') FROM curve WHERE day = 180;
SELECT near(1 - lower, .415801759852, 1e-6, 'lower bound of returned at 180 days') FROM curve WHERE day = 180;
SELECT near(return_after, 1 - (1 - (SELECT max(returned) FROM curve)) / .403722149646, 1e-6, 'who is silent for 180 days and returns later') FROM curve WHERE day = 180;
-- the whole curve, by R itself from the file
\set km `Rscript -e 'suppressMessages(library(survival)); d <- unique(read.csv(file.path(Sys.getenv("CHURN_DATA"), "cdnow_sample", "transactions.csv.gz"))[, c("customer_id", "order_date")]); d$order_date <- as.Date(d$order_date); d <- d[order(d$customer_id, d$order_date), ]; last <- !duplicated(d$customer_id, fromLast = TRUE); after <- c(d$order_date[-1], NA); after[last] <- as.Date("1998-06-30"); f <- survfit(Surv(as.numeric(after - d$order_date), !last) ~ 1, conf.type = "log-log"); cat(sprintf("%d,%.15g,%.15g,%.15g", as.integer(f$time), f$surv, f$lower, f$upper), sep = ";")' 2>/dev/null`
SELECT :'km' = '' AS missing \gset
\if :missing
SELECT skip('R with survival (Debian: r-cran-survival) is not there', 3);
\else
CREATE TABLE by_r AS
SELECT f[1]::int AS day, nullif(f[2], 'NA')::float8 AS s, nullif(f[3], 'NA')::float8 AS l, nullif(f[4], 'NA')::float8 AS u
FROM (SELECT string_to_array(r, ',') AS f FROM unnest(string_to_array(:'km', ';')) AS r) AS x;
SELECT cmp_ok((SELECT count(*) FROM by_r JOIN curve USING (day)), '>', 400::bigint, 'days with R: ' || count(*)) FROM by_r;
SELECT is_empty($$SELECT day, 1 - returned, s FROM by_r JOIN curve USING (day) WHERE abs(1 - returned - s) > 1e-6 OR returned IS NULL$$, 'Kaplan-Meier is R''s on every day');
SELECT is_empty($$SELECT day, 1 - upper, l, 1 - lower, u FROM by_r JOIN curve USING (day)
    WHERE abs(1 - upper - l) > 1e-6 OR abs(1 - lower - u) > 1e-6 OR (l IS NULL) <> (upper IS NULL)$$, 'and so is its band');
\endif
\endif

-- Candidates side by side -----------------------------------------------------------
CREATE TABLE shop AS SELECT * FROM churn_simulate(2500, 480, 5, bots => false, late_arrivals => false);
SET churn.today = '2024-04-25';
SELECT churn_create_study('shop', churn_window => '90 days', key_kinds => ARRAY['order']);
SELECT churn_add_source('shop', 'shop', user_column => 'user_id', time_column => 'ts', amount_column => 'amount', kind_column => 'kind');
INSERT INTO shop_snapshots VALUES (1, '2020-01-01', 'train', 'new', true, NULL, 1, 1, '{1}');
CREATE FUNCTION traces() RETURNS text LANGUAGE sql AS $$
    SELECT (SELECT string_agg(s::text, ';') FROM shop_snapshots AS s) || (SELECT count(*) FROM churn_models)
        || (SELECT s::text FROM churn_studies AS s WHERE study = 'shop')
        || (SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class WHERE relname LIKE '%shop%') $$;
CREATE TABLE before AS SELECT traces();
CREATE TABLE candidate AS SELECT * FROM churn_window_table('shop', '{30 days, 60 days, 90 days, 120 days, 180 days}');
SELECT is(traces(), (SELECT traces FROM before), 'nothing is left behind, STUDY_snapshots untouched');
SELECT is((SELECT array_agg(churn_window) FROM candidate), '{30,60,90,120,180}', 'a row a candidate');
SELECT is((SELECT array_agg(active_window) FROM candidate), '{30,60,90,120,180}', 'the active window follows');
SELECT is((SELECT array_agg(DISTINCT test_date) FROM candidate WHERE auc IS NOT NULL), ARRAY[date '2024-04-24' - 120],
    'one test date, the newest that all can have: events are complete through 2024-04-23');
-- users at risk, base rate and reactivation against plain SQL
CREATE TABLE bought AS SELECT DISTINCT user_id, ts::date AS day FROM shop WHERE kind = 'order' AND ts < '2024-04-24';
SELECT results_eq($$SELECT churn_window, users, churned, round(base_rate::numeric, 12) FROM candidate WHERE churn_window < 180 ORDER BY 1$$,
    $$SELECT w, count(*), count(*) FILTER (WHERE gone), round(avg(gone::int), 12) FROM (
        SELECT DISTINCT w, user_id, NOT EXISTS (SELECT FROM bought AS l WHERE l.user_id = b.user_id AND l.day >= t AND l.day < t + w) AS gone
        FROM bought AS b, unnest('{30,60,90,120}'::int[]) AS w, (SELECT date '2023-12-26' AS t) AS t WHERE b.day >= t - w AND b.day < t) AS u
      GROUP BY w ORDER BY w$$, 'users at risk and base rate');
SELECT results_eq($$SELECT churn_window, round(reactivated::numeric, 12) FROM candidate ORDER BY 1$$,
    $$SELECT w, round(avg((ended)::int), 12) FROM unnest('{30,60,90,120,180}'::int[]) AS w, LATERAL (
        SELECT lead(day) OVER (PARTITION BY user_id ORDER BY day) IS NOT NULL AS ended, lead(day, 1, date '2024-04-23') OVER (PARTITION BY user_id ORDER BY day) - day AS days
        FROM bought) AS g WHERE days > w OR days = w AND NOT ended GROUP BY w ORDER BY w$$, 'reactivation as seen');
SELECT is_empty($$SELECT churn_window, reactivation, return_after FROM candidate JOIN churn_return_curve('shop') ON day = churn_window
    WHERE abs(reactivation - return_after) > 1e-12$$, 'reactivation by Kaplan-Meier is that of the return curve');
SELECT ok(bool_and(reactivation > reactivated), 'those still silent may come back yet') FROM candidate;
SELECT is((SELECT count(*) FROM candidate WHERE elbow), 1::bigint, 'one hint');
SELECT cmp_ok(auc, '>', greatest(recency_auc, key_days_auc), format('%s days: the quick model beats both baselines', churn_window))
FROM candidate WHERE churn_window BETWEEN 60 AND 120 ORDER BY churn_window;
SELECT ok(auc IS NULL AND rows IS NULL AND note = 'no training snapshot ends before the test begins' AND users > 500, 'too long a window says so, with its users')
FROM candidate WHERE churn_window = 180;
SELECT churn_alter_study('shop', active_window => '45 days');
SELECT is((SELECT array_agg(active_window) FROM churn_window_table('shop', '{60 days, 60 days, NULL}')), '{45}', 'an active window that was said stays');
SELECT is((SELECT note FROM churn_window_table('shop', '{400 days, 600 days}') ORDER BY churn_window DESC LIMIT 1), 'the data are shorter than the window', 'longer than the data');
SELECT throws_ok($$SELECT * FROM churn_window_table('shop', '{}')$$, '22023');
SELECT throws_ok($$SELECT * FROM churn_window_table('shop', '{0 days}')$$, '22023');
SELECT throws_ok($$SELECT * FROM churn_window_table('shop', '{1 month}')$$, '22023');
SELECT throws_ok($$SELECT * FROM churn_window_table('shop', snapshots => 0)$$, '22023');
SELECT throws_ok($$SELECT * FROM churn_window_table('shop', options => '{"depth": 3}')$$, '22023');
CREATE TABLE shop_try_snapshots ();
SELECT throws_ok($$SELECT * FROM churn_window_table('shop')$$, '42P07');
DROP TABLE shop_try_snapshots;
SELECT ok(to_regclass('shop_staging') IS NULL AND to_regclass('shop_try_snapshots') IS NULL, 'errors leave nothing either');
SELECT throws_ok($$SELECT * FROM churn_return_curve('shop', 1.5)$$, '22023');
SELECT throws_ok($$SELECT * FROM churn_return_curve('none')$$, '42704');
CREATE ROLE churn_window_stranger;
SET ROLE churn_window_stranger;
SELECT throws_ok($$SELECT * FROM churn_return_curve('shop')$$, '42501', NULL, 'somebody else''s study: the curve');
SELECT throws_ok($$SELECT * FROM churn_window_table('shop')$$, '42501', NULL, 'somebody else''s study: the table');
RESET ROLE;
-- as its owner, called by a superuser
CREATE ROLE churn_window_owner;
GRANT CREATE, USAGE ON SCHEMA public TO churn_window_owner;
GRANT SELECT ON shop TO churn_window_owner;
SET ROLE churn_window_owner;
SELECT churn_create_study('theirs', churn_window => '60 days', key_kinds => ARRAY['order']);
SELECT churn_add_source('theirs', 'shop', user_column => 'user_id', time_column => 'ts', kind_column => 'kind');
RESET ROLE;
SELECT is((SELECT count(auc) FROM churn_window_table('theirs', '{60 days}')), 1::bigint, 'a superuser works as the owner');
SET ROLE churn_window_owner;
SELECT churn_drop_study('theirs');
RESET ROLE;
REVOKE ALL ON SCHEMA public FROM churn_window_owner;
REVOKE ALL ON shop FROM churn_window_owner;
DROP ROLE churn_window_owner, churn_window_stranger;
SELECT * FROM finish();
