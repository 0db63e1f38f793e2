-- churn_ranking as a value: text and binary forms, hostile input, states that
-- were made for another metric.
\set QUIET on
SET client_min_messages = warning;
SELECT plan(44);

CREATE TABLE data (s float8, l boolean);
INSERT INTO data VALUES (.1, true), (1.0::float8 / 3, false), ('-Infinity', false), (1e-300, true), (.1, false),
    ('Infinity', true), (NULL, true), (123456789.123456789, false), ('-0', false);
CREATE TABLE kept AS
SELECT 'scores' AS form, churn_ranking(s, l) AS r FROM data
UNION ALL SELECT 'order', churn_rank_order(s, l ORDER BY s) FROM data
UNION ALL SELECT 'order of many', churn_rank_order(x, h > 0 ORDER BY x)
    FROM (SELECT i / 7 * (i % 3) AS x, hashint4(i) AS h FROM generate_series(1, 5000) i) y
UNION ALL SELECT 'empty', churn_ranking(NULL, l) FROM data;

SELECT is(r::text::churn_ranking::text, r::text, form || ': text goes round') FROM kept;
SELECT is((SELECT array_agg(g::text) FROM churn_roc(r::text::churn_ranking) g), (SELECT array_agg(g::text) FROM churn_roc(r) g),
    form || ': so does what it means') FROM kept;
SET extra_float_digits = -5;
SELECT is(md5(r::text), (SELECT md5(r::text) FROM kept k WHERE k.form = 'scores'), 'settings do not change the text') FROM kept WHERE form = 'scores';
SELECT matches(r::text, '0\.3333333333333333[,}]', 'which is exact') FROM kept WHERE form = 'scores';
RESET extra_float_digits;

-- binary goes round through COPY
CREATE TABLE back (LIKE kept);
\set file `mktemp -u`
SELECT set_config('test.file', :'file', false) AS file \gset
DO $$ BEGIN
    EXECUTE format('COPY kept TO %L (FORMAT binary)', current_setting('test.file'));
    EXECUTE format('COPY back FROM %L (FORMAT binary)', current_setting('test.file'));
END $$;
SELECT is((SELECT count(*) FROM kept JOIN back USING (form) WHERE kept.r::text = back.r::text), 4::bigint, 'binary goes round');
\setenv file :file
\! rm -f "$file"

-- every cut-off prefix of a text is refused, and changed ones do no harm
CREATE FUNCTION fate(input text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN PERFORM churn_roc(input::churn_ranking); RETURN 'taken';
EXCEPTION WHEN invalid_text_representation OR invalid_parameter_value OR program_limit_exceeded
    OR configuration_limit_exceeded OR numeric_value_out_of_range THEN RETURN 'refused'; END $$;
SELECT is((SELECT count(*) FROM kept, generate_series(0, length(r::text) - 1) n
    WHERE form IN ('scores', 'order') AND fate(left(r::text, n)) = 'taken'), 0::bigint, 'no prefix is taken');
SELECT cmp_ok((SELECT count(*) FROM kept, generate_series(1, length(r::text)) n, unnest('{9,-,z,\,}'::text[]) c
    WHERE form IN ('scores', 'order') AND fate(overlay(r::text PLACING c FROM n FOR 1)) IN ('taken', 'refused')), '>', 1000::bigint,
    'no changed character does harm');

CREATE FUNCTION refuses(input text, what text) RETURNS text LANGUAGE sql AS
$$ SELECT throws_ok(format('SELECT %L::churn_ranking', input), '22P02', NULL, 'refused: ' || what) $$;
SELECT refuses('', 'nothing');
SELECT refuses('scores width=1 ignored=0 arguments={} churners={NaN} stayers={}', 'NaN');
SELECT refuses('scores width=4 ignored=0 arguments={} churners={} stayers={}', 'width 4');
SELECT refuses('scores width=0 ignored=0 arguments={} churners={} stayers={}', 'width 0');
SELECT refuses('scores width=1 ignored=-1 arguments={} churners={} stayers={}', 'negative count');
SELECT refuses('scores width=1 ignored=99999999999999999999 arguments={} churners={} stayers={}', 'count overflow');
SELECT refuses('scores width=1 ignored=0 arguments={1,2,3,4,5,6} churners={} stayers={}', 'six arguments');
SELECT refuses('scores width=1 ignored=0 arguments={NaN} churners={} stayers={}', 'argument NaN');
SELECT refuses('scores width=2 ignored=0 arguments={} churners={1,2,3} stayers={}', 'half a row');
SELECT refuses('scores width=1 ignored=0 arguments={} churners={1e999} stayers={}', 'overflow');
SELECT refuses('scores width=1 ignored=0 arguments={} churners={1} stayers={2} x', 'something behind');
SELECT refuses('order ignored=0 arguments={} churners=5 stayers=1 open={1,1,0} sums={0,0,0,0,0,0,0,0} groups=\x04', 'groups that do not add up');
SELECT refuses('order ignored=0 arguments={} churners=1 stayers=1 open={1,0,0} sums={0,0,0,0,0,0,0,0} groups=\x800101', 'empty open group');
SELECT refuses('order ignored=0 arguments={} churners=1 stayers=1 open={1,1,0} sums={0,0,0,0,0,0,0,0} groups=\x80ffffffffffffffffff7f01', 'a varint too long');
SELECT refuses('order ignored=0 arguments={} churners=1 stayers=1 open={1,1,0} sums={0,0,0,0,0,0,0,0} groups=\x80', 'a group cut off');
SELECT refuses('order ignored=0 arguments={} churners=0 stayers=2305843009213693950 open={0,0,1} sums={0,0,0,0,0,0,0,0} groups=\x00', 'a byte of no rows');
SELECT refuses('order ignored=0 arguments={} churners=1 stayers=1 open={1,0,1} sums={0,0,0,0,0,0,0,0} groups=\x0301', 'another byte of no rows');

-- support functions called with what they were not made for
SELECT throws_ok(format('SELECT %s', call), '22023', NULL, call) FROM unnest(ARRAY[
    $$churn_ece_final('scores width=1 ignored=0 arguments={} churners={.5} stayers={.2}')$$,
    $$churn_ece_final('scores width=1 ignored=0 arguments={-5,1} churners={.5} stayers={.2}')$$,
    $$churn_ece_final('order ignored=0 arguments={10,0} churners=1 stayers=0 open={.5,1,0} sums={0,0,0,0,0,0,0.5,0.5} groups=\x')$$,
    $$churn_evaluate_final('order ignored=0 arguments={} churners=1 stayers=2 open={.5,0,1} sums={0,0,0,0,0,0,0,.5} groups=\x06')$$,
    $$churn_auc_test_final('scores width=1 ignored=0 arguments={} churners={.5} stayers={.2}')$$,
    $$churn_auc_keyed_final('scores width=1 ignored=0 arguments={5,1} churners={.5} stayers={.2}')$$,
    $$churn_auc_keyed_final('scores width=2 ignored=0 arguments={1e300,1} churners={.5,1} stayers={.2,2}')$$,
    $$churn_auc_final('scores width=2 ignored=0 arguments={} churners={.5,1} stayers={.2,2}')$$,
    $$churn_psi_final('scores width=1 ignored=0 arguments={1e9} churners={.5} stayers={.2}')$$]) call;
SELECT throws_ok('SELECT churn_order_trans(NULL, 1, true)', 'XX000', NULL, 'a transition function outside an aggregate');

-- aggregates of somebody else's may begin with any ranking
CREATE AGGREGATE begin_pairs(float8, float8, boolean) (SFUNC = churn_auc_test_trans, STYPE = churn_ranking,
    INITCOND = 'order ignored=0 arguments={} churners=2305843009213693950 stayers=1 open={.5,0,1} sums={0,0,0,0,0,0,0,.5} groups=\x80feffffffffffffff1f00');
SELECT throws_ok('SELECT begin_pairs(.5, .6, true)', '22023', NULL, 'two columns cannot go on from one of order only');
CREATE AGGREGATE begin_wide(float8, boolean) (SFUNC = churn_scores_trans, STYPE = churn_ranking,
    INITCOND = 'scores width=2 ignored=0 arguments={} churners={1,2} stayers={}');
SELECT throws_ok('SELECT begin_wide(.5, true)', '22023', NULL, 'nor one column from two');
CREATE AGGREGATE begin_scores(float8, boolean) (SFUNC = churn_scores_trans, STYPE = churn_ranking,
    INITCOND = 'order ignored=0 arguments={} churners=0 stayers=2 open={.5,0,1} sums={0,0,0,0,0,0,0,.5} groups=\x02');
SELECT throws_ok('SELECT begin_scores(.6, true)', '22023', NULL, 'nor scores from an order');
CREATE AGGREGATE begin_order(float8, boolean) (SFUNC = churn_order_trans, STYPE = churn_ranking,
    INITCOND = 'order ignored=0 arguments={} churners=0 stayers=2 open={.5,0,1} sums={0,0,0,0,0,0,0,.5} groups=\x02');
SELECT is((SELECT churn_auc_final(begin_order(1 + g / 20000, g % 2 = 0 ORDER BY g)) > .5 FROM generate_series(1, 500000) g), true,
    'an order goes on from a few bytes');
SELECT * FROM finish();
