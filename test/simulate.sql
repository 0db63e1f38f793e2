-- churn_simulate and churn_simulate_truth: the rows obey the laws written in
-- doc/simulate.md. Every bound on a random quantity is 4 standard errors; the
-- seeds are fixed, so a failure means that the code changed.
SELECT plan(73);

-- A digest of rows, whatever their order
CREATE FUNCTION digest(query text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
    answer numeric;
BEGIN
    EXECUTE format('SELECT sum(hashtextextended(row_text::text, 0)::numeric) '
        'FROM (%s) AS row_text', query) INTO answer;
    RETURN answer;
END $$;

-- As cmp_ok, for any numbers; NULL fails
CREATE FUNCTION compares(have float8, operator text, want float8, name text)
RETURNS text LANGUAGE sql AS $$ SELECT cmp_ok(have, operator, want, name) $$;

-- Determinism
SET TimeZone = 'UTC';
SELECT is(digest('SELECT * FROM churn_simulate(500, 200, 7)'),
    digest('SELECT * FROM churn_simulate(500, 200, 7)'),
    'the same seed gives the same rows');
SELECT isnt(digest('SELECT * FROM churn_simulate(500, 200, 7)'),
    digest('SELECT * FROM churn_simulate(500, 200, 8)'),
    'another seed gives other rows');
SELECT isnt(digest('SELECT * FROM churn_simulate(500, 200, -7)'),
    digest('SELECT * FROM churn_simulate(500, 200, 7)'),
    'the sign of the seed counts');
SELECT is(digest('SELECT * FROM churn_simulate(1000, 200, 7) WHERE user_id <= 500'),
    digest('SELECT * FROM churn_simulate(500, 200, 7)'),
    'a user does not depend on how many there are');
SELECT is(digest('SELECT * FROM churn_simulate_truth(1000, 200, 7) WHERE user_id <= 500'),
    digest('SELECT * FROM churn_simulate_truth(500, 200, 7)'),
    'nor does the truth about them');
CREATE TEMP TABLE epoch_utc AS
    SELECT sum(extract(epoch FROM ts)) AS total FROM churn_simulate(200, 100);
SET TimeZone = 'Asia/Kolkata';
SELECT is((SELECT sum(extract(epoch FROM ts)) FROM churn_simulate(200, 100)),
    (SELECT total FROM epoch_utc), 'the session''s zone does not matter');
SET TimeZone = 'UTC';

-- The shop that most tests look at
CREATE TEMP TABLE event AS SELECT * FROM churn_simulate(10000, 400);
CREATE TEMP TABLE truth AS SELECT * FROM churn_simulate_truth(10000, 400);
CREATE INDEX ON event (user_id, kind, ts);
ANALYZE event;

SELECT is((SELECT array_agg(DISTINCT kind ORDER BY kind) FROM event),
    '{cart,order,refund,ticket,view}', 'the kinds');
SELECT is((SELECT count(*) FROM event
    WHERE ts < '2023-01-01' OR ts >= date '2023-01-01' + 400), 0::bigint,
    'every event is within the days');
SELECT is((SELECT count(*) FROM event
    WHERE (amount IS NOT NULL) <> (kind IN ('order', 'refund'))), 0::bigint,
    'orders and refunds carry an amount, others do not');
SELECT is((SELECT count(*) FROM event
    WHERE amount <= 0 OR abs(amount * 100 - round(amount * 100)) > 1e-6),
    0::bigint, 'amounts are positive cents');
SELECT is((SELECT count(*) FROM event JOIN truth USING (user_id)
    WHERE kind IN ('order', 'view', 'cart')
    AND ts::date NOT BETWEEN joined_day AND coalesce(left_day, 'infinity')),
    0::bigint, 'orders, views and carts lie between joining and leaving');
SELECT is((SELECT count(*) FROM event JOIN truth USING (user_id)
    WHERE kind IN ('refund', 'ticket')
    AND ts::date NOT BETWEEN joined_day AND coalesce(left_day, 'infinity') + 23),
    0::bigint, 'refunds and tickets lag by three weeks at most');
SELECT compares((SELECT count(*) FROM event JOIN truth USING (user_id)
    WHERE kind IN ('refund', 'ticket') AND ts::date > left_day), '>', 0,
    'some of them come after leaving');
SELECT is((SELECT count(*) FROM truth WHERE NOT is_bot AND joined_day IS DISTINCT FROM
    (SELECT min(ts)::date FROM event e
     WHERE e.user_id = truth.user_id AND kind = 'order')), 0::bigint,
    'everybody but a bot joins with an order');
SELECT is((SELECT count(*) FROM event AS refund WHERE kind = 'refund'
    AND NOT EXISTS (SELECT FROM event AS bought
        WHERE bought.user_id = refund.user_id AND bought.kind = 'order'
        AND refund.ts - bought.ts BETWEEN '2 days' AND '22 days'
        AND bought.amount >= refund.amount)), 0::bigint,
    'a refund follows an order of at least its amount');
SELECT is((SELECT count(*) FROM event AS ticket WHERE kind = 'ticket'
    AND NOT EXISTS (SELECT FROM event AS bought
        WHERE bought.user_id = ticket.user_id AND bought.kind = 'order'
        AND ticket.ts - bought.ts BETWEEN '12 hours' AND '9 days')), 0::bigint,
    'a ticket follows an order');
SELECT compares((SELECT count(*) / 10000.0 FROM event), '>', 40.0,
    'more than 40 events a user');
SELECT compares((SELECT count(*) / 10000.0 FROM event), '<', 65.0,
    'less than 65 events a user');

-- Pareto/NBD: orders after the first, over the time since joining. The
-- moments are those of a Poisson count over min(lifetime, t), both mixed.
CREATE TEMP TABLE plain AS
    SELECT * FROM churn_simulate(20000, 400, 5, seasons => false, bots => false);
CREATE TEMP TABLE plain_truth AS
    SELECT * FROM churn_simulate_truth(20000, 400, 5, seasons => false,
        bots => false);
CREATE FUNCTION mean_life(t float8, s float8, beta float8) RETURNS float8
LANGUAGE sql AS $$ SELECT beta / (s - 1) * (1 - (beta / (beta + t)) ^ (s - 1)) $$;
CREATE FUNCTION mean_life_squared(t float8, s float8, beta float8) RETURNS float8
LANGUAGE sql AS $$
    SELECT 2 * beta ^ s * (((beta + t) ^ (2 - s) - beta ^ (2 - s)) / (2 - s)
        - beta * ((beta + t) ^ (1 - s) - beta ^ (1 - s)) / (1 - s))
$$;
CREATE TEMP TABLE law AS
    SELECT user_id, left_day, bought, t, mean,
        1.5 * 2.5 / 45.0 ^ 2 * mean_life_squared(t, .9, 200) + mean - mean ^ 2 AS variance
    FROM (SELECT user_id, left_day, t, 1.5 / 45 * mean_life(t, .9, 200) AS mean
        FROM (SELECT *, date '2023-01-01' + 400 - joined_day - .5 AS t
            FROM plain_truth) AS timed) AS expected
    JOIN (SELECT user_id, count(*) - 1 AS bought FROM plain
        WHERE kind = 'order' GROUP BY user_id) AS realised USING (user_id);
SELECT is((SELECT count(*) FROM law), 20000::bigint, 'everybody ordered');
SELECT compares((SELECT abs(sum(bought - mean)) / sqrt(sum(variance)) FROM law),
    '<', 4, 'mean of the orders is that of Pareto/NBD');
SELECT compares((SELECT abs(avg(excess)) / (stddev(excess) / sqrt(count(*)))
    FROM (SELECT (bought - mean) ^ 2 - variance AS excess FROM law) AS q),
    '<', 4, 'variance of the orders is that of Pareto/NBD');
SELECT compares((SELECT abs(sum((left_day IS NOT NULL)::int - gone))
        / sqrt(sum(gone * (1 - gone)))
    FROM (SELECT left_day, 1 - (200 / (200 + t)) ^ .9 AS gone FROM law) AS q),
    '<', 4, 'share of users gone is that of the Pareto lifetime');
SELECT compares((SELECT abs(avg(purchase_rate) - 1.5 / 45)
    / sqrt(1.5 / 45.0 ^ 2 / count(*)) FROM plain_truth), '<', 4,
    'mean of purchase rates is r / alpha');
SELECT compares((SELECT abs(avg(dropout_rate) - .9 / 200)
    / sqrt(.9 / 200.0 ^ 2 / count(*)) FROM plain_truth), '<', 4,
    'mean of drop-out rates is s / beta');
SELECT compares((SELECT abs(avg(spend_level) - 40) / sqrt(800.0 / count(*))
    FROM plain_truth), '<', 4, 'mean of spending levels is 40');
SELECT compares((SELECT abs(sum(amount - spend_level)) / sqrt(sum(spend_level ^ 2 / 6))
    FROM plain JOIN plain_truth USING (user_id) WHERE kind = 'order'),
    '<', 4, 'amounts scatter around the user''s level');

-- The true probability
CREATE FUNCTION quiet(rate float8, hazard float8, days float8) RETURNS float8
LANGUAGE sql AS $$
    SELECT hazard / (rate + hazard)
        + rate / (rate + hazard) * exp(-(rate + hazard) * days)
$$;
SELECT compares((SELECT max(abs(p_no_order - quiet(purchase_rate, dropout_rate, 90)))
    FROM churn_simulate_truth(20000, 400, 5, seasons => false, as_of => '2023-08-01')
    WHERE alive AND NOT is_bot), '<', 1e-12,
    'without seasons p_no_order is the closed form');
SELECT compares((SELECT max(abs(p_no_order - (1 - exp(-dropout_rate * 14)
        + exp(-dropout_rate * 14) * quiet(purchase_rate, dropout_rate, 60))))
    FROM churn_simulate_truth(20000, 400, 5, seasons => false,
        as_of => '2023-08-01', window_days => 60, gap_days => 14)
    WHERE alive AND NOT is_bot), '<', 1e-12, 'with a gap too');
SELECT is((SELECT count(*) FROM churn_simulate_truth(5000, 400, 5, slackening => false)
    WHERE p_no_order <> p_no_order_signs), 0::bigint,
    'without slackening there are no signs to know');

-- Users at risk on 2023-11-01 (the season is high after it), outcome from 7 days on
CREATE TEMP TABLE shop AS SELECT * FROM churn_simulate(20000, 420, 3);
CREATE INDEX ON shop (user_id, ts) WHERE kind = 'order';
CREATE TEMP TABLE asked AS
    SELECT *, date '2023-11-01' - (SELECT max(ts)::date FROM shop AS e
            WHERE e.user_id = t.user_id AND kind = 'order' AND ts < '2023-11-01') AS recency,
        (NOT EXISTS (SELECT FROM shop AS e WHERE e.user_id = t.user_id
            AND kind = 'order' AND ts >= '2023-11-08'
            AND ts < date '2023-11-08' + 90))::int AS churned
    FROM churn_simulate_truth(20000, 420, 3, as_of => '2023-11-01', gap_days => 7) AS t;
SELECT is((SELECT count(*) FROM asked WHERE (joined_day >= '2023-11-01')
    <> (alive IS NULL AND p_no_order IS NULL AND p_no_order_signs IS NULL)),
    0::bigint, 'who has not joined has no probability');
SELECT is((SELECT count(*) FROM asked
    WHERE NOT alive AND (p_no_order <> 1 OR p_no_order_signs <> 1 OR churned = 0)),
    0::bigint, 'who has left does not order');
SELECT is((SELECT count(*) FROM asked
    WHERE alive IS DISTINCT FROM (left_day IS NULL OR left_day >= '2023-11-01')
    AND joined_day < '2023-11-01'), 0::bigint, 'alive until the day of leaving');
SELECT compares((SELECT abs(sum(churned - p_no_order))
    / sqrt(sum(p_no_order * (1 - p_no_order))) FROM asked WHERE alive),
    '<', 4, 'p_no_order is calibrated among users alive');
SELECT compares((SELECT max(z) FROM (
    SELECT abs(sum(churned - p)) / sqrt(sum(p * (1 - p))) AS z
    FROM (SELECT churned, p_no_order AS p, ntile(10) OVER (ORDER BY p_no_order) AS decile
        FROM asked WHERE alive AND NOT is_bot) AS q GROUP BY decile) AS q),
    '<', 4, 'in each decile of it');
SELECT compares((SELECT max(z) FROM (
    SELECT abs(sum(churned - p)) / sqrt(sum(p * (1 - p))) AS z
    FROM (SELECT churned, p_no_order_signs AS p,
            ntile(10) OVER (ORDER BY p_no_order_signs) AS decile
        FROM asked WHERE alive AND NOT is_bot AND p_no_order_signs < 1) AS q
    GROUP BY decile) AS q),
    '<', 4, 'p_no_order_signs is calibrated by decile');
SELECT is((SELECT count(*) FROM asked WHERE p_no_order_signs = 1 AND churned = 0),
    0::bigint, 'and where it is 1 nobody orders');
SELECT compares((SELECT avg(churned) FROM asked WHERE recency <= 90), '>', .25,
    'more than a quarter of those at risk churn');
SELECT compares((SELECT avg(churned) FROM asked WHERE recency <= 90), '<', .45,
    'less than .45 of them churn');

-- Area under the ROC curve by mid-ranks
CREATE FUNCTION area(score text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
    answer float8;
BEGIN
    EXECUTE format($q$
        SELECT (sum(rank) FILTER (WHERE churned = 1) - n1 * (n1 + 1) / 2) / (n1 * n0)
        FROM (SELECT churned, rank() OVER w + (count(*) OVER (PARTITION BY %1$s) - 1) / 2.0 AS rank,
                sum(churned) OVER () AS n1, sum(1 - churned) OVER () AS n0
            FROM asked WHERE recency <= 90 WINDOW w AS (ORDER BY %1$s)) AS q
        GROUP BY n1, n0 $q$, score) INTO answer;
    RETURN answer;
END $$;
SELECT compares(area('p_no_order'), '>', area('recency') + .1,
    'the true probability ranks far better than recency');
SELECT compares(area('p_no_order_signs'), '>', area('p_no_order'),
    'knowing the slackening ranks better still');

-- Switches
CREATE FUNCTION weekday_chi2(seasons boolean) RETURNS float8 LANGUAGE sql AS $$
    SELECT sum((n - total / 7) ^ 2 / (total / 7))::float8
    FROM (SELECT count(*)::float8 AS n, sum(count(*)) OVER () AS total
        FROM churn_simulate(10000, 364, 2, seasons => $1)
        WHERE kind = 'order' AND ts >= '2023-03-26'
        GROUP BY extract(isodow FROM ts)) AS q
$$;
SELECT compares(weekday_chi2(false), '<', 27.86,
    'without seasons weekdays are alike (chi-square, 6 degrees, p = 1e-4)');
SELECT compares(weekday_chi2(true), '>', 100, 'with seasons they are not');
SELECT compares((SELECT count(*) FILTER (WHERE ts >= '2023-12-01' AND ts < '2023-12-31')
        / count(*) FILTER (WHERE ts >= '2023-06-01' AND ts < '2023-07-01')::float8
    FROM shop WHERE kind = 'order'), '>', 1.2, 'December is busier than June');

SELECT is((SELECT count(*) FROM churn_simulate_truth(10000, 400, bots => false)
    WHERE is_bot), 0::bigint, 'without bots there are none');
SELECT compares((SELECT count(*) FROM truth WHERE is_bot), '>', 1,
    'else there are some');
SELECT is((SELECT array_agg(DISTINCT kind) FROM event JOIN truth USING (user_id)
    WHERE is_bot), '{view}', 'a bot only views');
SELECT compares((SELECT max(count(*)) OVER () FROM event JOIN truth USING (user_id)
    WHERE is_bot GROUP BY user_id LIMIT 1), '>', 2000, 'by the thousand');
SELECT is(digest('SELECT * FROM churn_simulate(10000, 400, bots => false)
        WHERE user_id IN (SELECT user_id FROM truth WHERE NOT is_bot)'),
    digest('SELECT * FROM event
        WHERE user_id IN (SELECT user_id FROM truth WHERE NOT is_bot)'),
    'the other users are the same with and without bots');

SELECT is((SELECT count(*) FROM churn_simulate(2000, 400, late_arrivals => false)
    WHERE known_at <> ts), 0::bigint, 'without late arrivals all is known at once');
SELECT is((SELECT count(*) FROM event
    WHERE known_at NOT BETWEEN ts AND ts + interval '30 days'), 0::bigint,
    'else within 30 days');
SELECT compares((SELECT abs(avg((known_at > ts)::int::float8) - .03)
    / sqrt(.03 * .97 / count(*)) FROM event), '<', 4,
    'three in a hundred events arrive late');
SELECT is(digest('SELECT user_id, ts, kind, amount FROM churn_simulate(2000, 400, late_arrivals => false)'),
    digest('SELECT user_id, ts, kind, amount FROM churn_simulate(2000, 400)'),
    'arriving late changes nothing else');

-- Slackening: views of the last 28 days against those of the 28 days before,
-- of users who were there for both
CREATE TEMP TABLE steady AS
    SELECT * FROM churn_simulate(20000, 400, 5, seasons => false, bots => false,
        slackening => false);
CREATE FUNCTION slack_z(relation regclass, kind_name text) RETURNS float8
LANGUAGE plpgsql AS $$
DECLARE
    answer float8;
BEGIN
    EXECUTE format($q$
        SELECT avg(difference) / (stddev(difference) / sqrt(count(*))) FROM (
            SELECT user_id, sum(CASE WHEN ts >= left_day - 28 THEN 1 ELSE -1 END) AS difference
            FROM %s JOIN plain_truth USING (user_id)
            WHERE kind = %L AND left_day - joined_day > 57
            AND ts >= left_day - 56 AND ts < left_day
            GROUP BY user_id) AS q $q$, relation, kind_name) INTO answer;
    RETURN answer;
END $$;
SELECT compares(abs(slack_z('steady', 'view')), '<', 4,
    'without slackening views go on to the end');
SELECT compares(slack_z('plain', 'view'), '<', -6, 'with it they fall');
SELECT compares(abs(slack_z('plain', 'order')), '<', 4, 'but orders do not');
SELECT is((SELECT count(*) FROM (TABLE plain EXCEPT ALL TABLE steady) AS q),
    0::bigint, 'slackening only takes events away');

-- Refusals
SELECT throws_ok('SELECT * FROM churn_simulate(' || call || ')', '22023', NULL,
    call || ' is refused')
FROM (VALUES ('0, 10'), ('50000001, 10'), ('10, 0'), ('10, 3651'),
    ('10, 10, start_date => ''infinity'''), ('10, 10, start_date => ''1899-12-31'''),
    ('10, 10, r => ''NaN'''), ('10, 10, alpha => 0'), ('10, 10, beta => ''inf'''),
    ('10, 10, r => 1000, alpha => 1'), ('10, 10, s => 11, beta => 1')) AS v(call);
SELECT throws_ok('SELECT * FROM churn_simulate(50000001, 10)', '22023',
    'argument "users" is 50000001, not between 1 and 50000000');
SELECT throws_ok('SELECT * FROM churn_simulate(NULL, 10)', '22004',
    'argument "users" must not be null');
SELECT throws_ok($$SELECT * FROM churn_simulate_truth(10, 10, as_of => '2023-01-12')$$,
    '22023', 'argument "as_of" is 2023-01-12, not between 2023-01-01 and 2023-01-11');
SELECT throws_ok('SELECT * FROM churn_simulate_truth(10, 10, window_days => 0)',
    '22023', 'argument "window_days" is 0, not between 1 and 3650');

-- A cancel is heard; memory is that of one user, whatever the number of rows
SET statement_timeout = '300ms';
DO $$
BEGIN
    PERFORM count(*) FROM churn_simulate(50000000, 3650);
EXCEPTION WHEN query_canceled THEN
    PERFORM set_config('simulate.cancelled', 'yes', false);
END $$;
RESET statement_timeout;
SELECT is(current_setting('simulate.cancelled', true), 'yes', 'a cancel is heard');

CREATE FUNCTION peak_kb() RETURNS bigint LANGUAGE sql AS $$
    SELECT substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\s+(\d+)')::bigint
$$;
SELECT pg_stat_file('/proc/self/status', true) IS NULL AS no_proc \gset
\if :no_proc
SELECT skip('peak memory is read from /proc/self/status', 1);
\else
-- in processes of their own: the tests above have raised this one's peak
SELECT current_database() AS here \gset
\set small `psql -XAtq -d :'here' -c 'SELECT count(*) FROM churn_simulate(5000, 400)' -c 'SELECT peak_kb()' | tail -n 1`
\set large `psql -XAtq -d :'here' -c 'SELECT count(*) FROM churn_simulate(60000, 400)' -c 'SELECT peak_kb()' | tail -n 1`
SELECT compares(:large - :small, '<', 2048,
    'twelve times the rows take no more memory (kB)');
\endif

SELECT * FROM finish();
