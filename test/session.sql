-- What a session keeps between live scores: a schema that needs quotes, an
-- extension that is dropped and created anew, models put there by hand.
\set QUIET on
SET client_min_messages = warning;
SELECT plan(17);
DROP EXTENSION churn;
CREATE SCHEMA "Two Words";
CREATE SCHEMA elsewhere;
LOAD '$libdir/churn';
SELECT throws_ok(format('SET churn.today = %L', d), '22023', NULL, 'today is not ' || d)
    FROM unnest('{24-02-03, 2024-6-1, +024-02-03, 2024-06-31, 2024/06/01}'::text[]) d;
SET churn.today = '2024-06-01';

-- a small shop, a study, a champion; "at" is the schema of the extension
CREATE FUNCTION open_shop(at text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE EXTENSION churn SCHEMA %I', at);
    PERFORM set_config('search_path', format('public, %I', at), false);
    DROP TABLE IF EXISTS events;
    CREATE TABLE public.events AS SELECT user_id, ts, kind, amount
        FROM churn_simulate(1600, 500, 1, start_date => '2023-01-18');
    PERFORM churn_create_study('shop', churn_window => '60 days', lookback => '300 days', active_window => '90 days',
        key_kinds => '{order}');
    PERFORM churn_add_source('shop', 'public.events', user_column => 'user_id', time_column => 'ts', kind_column => 'kind',
        amount_column => 'amount');
    PERFORM FROM churn_train('shop', options => '{"encoding": "linear"}');
END $$;
-- FNV-1a of bytes, as a model carries it
CREATE FUNCTION fnv(bytes bytea) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE h numeric := 14695981039346656037; low int; result bytea := '\x0000000000000000';
BEGIN
    FOR i IN 0..length(bytes) - 1 LOOP
        low := mod(h, 256)::int;
        h := mod((h - low + (low # get_byte(bytes, i))) * 1099511628211, 18446744073709551616);
    END LOOP;
    FOR i IN REVERSE 7..0 LOOP
        result := set_byte(result, i, mod(h, 256)::int);
        h := div(h, 256);
    END LOOP;
    RETURN result;
END $$;

SELECT lives_ok($$SELECT open_shop('Two Words')$$, 'the road in a schema that needs quotes');
SELECT user_id AS someone FROM events WHERE churn_score(user_id, 'shop') IS NOT NULL LIMIT 1 \gset
SELECT ok(churn_score(:someone) BETWEEN 0 AND 1, 'a score');
SELECT throws_ok(format('SELECT churn_score(%s, %L)', :someone, 'nothing'), '42704', NULL, 'a study that is not there');

-- a model whose inputs are not the features of its spec: bytes changed by hand
\set file `mktemp -u`
SELECT set_config('test.file', :'file', false) AS file \gset
CREATE TABLE forged (m churn_model);
DO $$
DECLARE bytes bytea := (SELECT churn_model_send(model) FROM churn_models LIMIT 1);
    at int := position('order_recency'::bytea IN bytes);
BEGIN
    bytes := overlay(bytes PLACING 'order_recenci'::bytea FROM at);
    bytes := overlay(bytes PLACING fnv(substr(bytes, 17)) FROM 9);
    CREATE TEMP TABLE raw AS SELECT bytes AS b;
    EXECUTE format('COPY raw TO %L (FORMAT binary)', current_setting('test.file'));
    EXECUTE format('COPY forged FROM %L (FORMAT binary)', current_setting('test.file'));
END $$;
\setenv file :file
\! rm -f "$file"
UPDATE churn_models SET status = 'retired';
SET row_security = off;
INSERT INTO churn_models (study, version, status, model, band_cutoffs, metrics, created_by)
    SELECT 'shop', 99, 'champion', m, '{.1,.2,.3}', '{}', current_user::regrole FROM forged;
RESET row_security;
SELECT throws_ok(format('SELECT churn_score(%s)', :someone), '0A000', NULL, 'inputs that are not the features');
SELECT throws_ok(format('SELECT churn_score(%s)', :someone), '0A000', NULL, 'and again');
DROP TABLE forged;
DELETE FROM churn_models WHERE version = 99;
UPDATE churn_models SET status = 'champion';
SELECT ok(churn_score(:someone) BETWEEN 0 AND 1, 'the model before scores again');

-- what is cached by can be chosen by nobody
CREATE ROLE session_member;
GRANT ALL ON SCHEMA "Two Words", public TO session_member;
UPDATE churn_studies SET owner = 'session_member';
SET ROLE session_member;
SELECT throws_ok($$INSERT INTO churn_models (id, study, version, status, model, band_cutoffs, metrics, created_by) OVERRIDING SYSTEM VALUE
    SELECT 1000, study, 100, 'trained', model, band_cutoffs, metrics, created_by FROM churn_models$$, '42501', NULL, 'the id of a model');
SELECT throws_ok('UPDATE churn_models SET model = model', '42501', NULL, 'a model under an id that was used');
SELECT throws_ok($$INSERT INTO churn_studies (study, owner, table_schema, churn_window, lookback, active_window, gap, min_tenure, windows,
    time_zone, holdout_share, revision) OVERRIDING SYSTEM VALUE
    SELECT 'other', owner, table_schema, churn_window, lookback, active_window, gap, min_tenure, windows, time_zone, holdout_share,
    1000 FROM churn_studies$$, '42501', NULL, 'the revision of a study');
SELECT lives_ok($$SELECT churn_alter_study('shop', gap => '1 day')$$, 'the owner still alters the study');
RESET ROLE;

-- the same session, the extension in another place
DROP VIEW shop_churn;
DROP TABLE shop_scores, shop_score_log, shop_snapshots, shop_history CASCADE;
DROP EXTENSION churn;
SELECT lives_ok($$SELECT open_shop('elsewhere')$$, 'the road once more, elsewhere');
SELECT ok(churn_score(:someone) BETWEEN 0 AND 1, 'a score there');
SELECT * FROM finish();
