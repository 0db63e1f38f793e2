-- churn_report: figures are those of SQL, whatever text the data hold is text,
-- and there is a page however little is known.
SET client_min_messages = warning;
SET timezone = 'UTC';
SELECT plan(58);
SET churn.today = '2024-02-05';

-- Nothing known yet -----------------------------------------------------------
SELECT churn_create_study('bare', churn_window => '60 days', key_kinds => ARRAY['order']);
CREATE TABLE bare AS SELECT churn_report('bare')::text AS page;
SELECT ok(xml_is_well_formed_document(page), 'a study without a source gives a page') FROM bare;
SELECT matches(page, 'There is no model yet', 'which says so') FROM bare;
SELECT matches(page, 'churn_train', 'and what to do') FROM bare;
SELECT matches(page, 'class="missing">', 'parts that cannot be had say why') FROM bare;
SELECT throws_ok($$SELECT churn_report('bare', 1)$$, '42704', 'study "bare" has no model of version 1');
SELECT throws_ok($$SELECT churn_report('none')$$, '42704');
SELECT throws_ok($$SELECT churn_report(NULL)$$, '22004');
SELECT ok(xml_is_well_formed_document(churn_report_page('{}')), 'no figures at all: still a page');
SELECT ok(xml_is_well_formed_document(churn_report_page('{"study": 3, "test": {"auc": "x", "roc": [1]}, "features": {"rows": [{"bins": [null, 4]}]}, "model": {"gate": null}, "past": [], "people": {"rows": [{}]}, "slices": {"rows": [{}]}, "targets": {"rows": [1]}, "trust": {}, "contacts": {}, "lead": {}, "pairs": {"rows": [{"cells": [{}]}]}, "snapshots": {"rows": [{}]}, "returns": {}, "checks": {"rows": [{}]}}')),
    'figures of other types: still a page');

-- A shop ------------------------------------------------------------------------
CREATE TABLE events AS SELECT user_id, ts, kind, amount FROM churn_simulate(3000, 400) WHERE kind IN ('order', 'cart', 'refund');
SELECT churn_create_study('shop', churn_window => '60 days', key_kinds => ARRAY['order']);
SELECT churn_add_source('shop', 'events', user_column => 'user_id', time_column => 'ts', kind_column => 'kind', amount_column => 'amount');
SELECT matches(churn_report('shop'), 'There is no model yet.*How many leave anyway.*Is the window long enough', 'events without a model: data alone');
SELECT version FROM churn_train('shop', snapshots => 2, options => '{"folds": 0, "c": 0.01, "encoding": "linear"}');
CREATE TABLE unscored AS SELECT churn_report('shop') AS page;
SELECT matches(page, 'Nobody has been scored yet', 'a model without scores: a page that says so') FROM unscored;
CALL churn_refresh('shop');
CREATE TABLE report AS SELECT f AS figures, churn_report_page(f) AS page, xmlparse(document churn_report_page(f)) AS doc
    FROM churn_report_figures('shop') AS f;
SELECT is(churn_report('shop'), page, 'same data, same page, byte for byte') FROM report;
SELECT is((SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(figures) AS k),
    '{checks,contacts,features,lead,model,pairs,past,people,returns,slices,snapshots,study,targets,test,trust}', 'every part') FROM report;
SELECT is_empty($$SELECT k FROM report, jsonb_each(figures) AS e (k, v) WHERE jsonb_typeof(v) = 'object' AND v ? 'missing'$$, 'nothing is missing');

-- Figures in the page are those of SQL, to the last digit
CREATE TABLE shown AS
    SELECT (xpath('/data/@data-figure', d))[1]::text AS name, (xpath('/data/@value', d))[1]::text AS value, (xpath('/data/text()', d))[1]::text AS words
    FROM report, unnest(xpath('//data', doc)) AS d;
CREATE FUNCTION shown(asked text) RETURNS float8 LANGUAGE sql AS $$ SELECT min(value::float8) FROM shown WHERE name = asked HAVING count(DISTINCT value) = 1 $$;
CREATE TABLE rows AS SELECT s.*, churn_predict(m.model, s.features) AS score FROM shop_snapshots AS s, churn_models AS m WHERE s.purpose = 'test' AND m.study = 'shop';
CREATE TABLE e AS SELECT (churn_evaluate(score, churned)).* FROM rows;
SELECT is(shown('test.auc'), auc, 'AUC') FROM e;
SELECT is(ARRAY[shown('test.auc_lower'), shown('test.auc_upper')], ARRAY[auc_lower, auc_upper], 'its interval') FROM e;
SELECT is(shown('test.ks'), ks, 'KS') FROM e;
SELECT is(shown('test.ks_churners') - shown('test.ks_stayers'), ks, 'at its point') FROM e;
SELECT is(ARRAY[shown('test.lift_10'), shown('test.recall_10'), shown('test.precision_10')], ARRAY[lift_10, recall_10, precision_10], 'the top tenth') FROM e;
SELECT is(ARRAY[shown('trust.mean_score'), shown('trust.log_loss'), shown('trust.ece_count'), shown('trust.slope')],
    ARRAY[mean_score, log_loss, ece_count, calibration_slope], 'probabilities') FROM e;
SELECT is(shown('test.baseline_auc'), (SELECT greatest(churn_auc(recency::float8, churned), churn_auc(-key_days::float8, churned)) FROM rows), 'the better baseline');
SELECT is(shown('test.auc'), (SELECT (metrics->>'auc')::float8 FROM churn_models WHERE study = 'shop'), 'the AUC of the training');
SELECT is(shown('contacts.best_profit'), (SELECT max(profit) FROM churn_contacts((SELECT churn_ranking(score, churned) FROM rows), .3,
    (SELECT avg(value) FROM rows), (SELECT avg(value) FROM rows) * .05, (SELECT avg(value) FROM rows) * .005,
    (SELECT array_agg(DISTINCT greatest(round(n * k / 200.0), 1)::bigint) FROM e, generate_series(1, 200) AS k))), 'profit');
SELECT is(shown('returns.at_window'), (SELECT returned FROM churn_return_curve('shop') WHERE day = 60), 'return curve');
SELECT is(shown('checks.passed'), (SELECT count(*) FROM churn_check_data('shop') WHERE severity = 'ok')::float8, 'data checks');
SELECT is(shown('snapshots.test_rate'), avg(churned::int)::float8, 'base rate of the test') FROM rows;
SELECT is(shown('people.users'), count(*)::float8, 'users at risk') FROM shop_scores;
SELECT is(shown('lead.early_share'), (SELECT count(*) FILTER (WHERE c.recency < (c.tenure - c.recency) / nullif(c.key_days - 1, 0)::float8) / count(*)::float8
    FROM rows AS r JOIN churn_snapshot('shop', (SELECT max(as_of) FROM rows)) AS c ON c.user_id = r.user_id::text,
        churn_models AS m WHERE m.study = 'shop' AND r.churned AND r.score >= m.band_cutoffs[2]), 'lead time');
SELECT results_eq($$SELECT (xpath('/tr/td[last()-2]/data/@value', r))[1]::text::float8 FROM report, unnest(xpath('//section[@id="slices"]//tbody/tr', doc)) AS r$$,
    $$SELECT churn_auc(score, churned) FROM rows GROUP BY stage ORDER BY 1$$, 'AUC by stage, the worst first');
SELECT is_empty($$SELECT * FROM shown WHERE words ~ 'NaN|nan|inf' OR value !~ '^-?[0-9.e-]+$'$$, 'no figure is NaN');
SELECT is((SELECT words FROM shown WHERE name = 'test.auc' AND words ~ '^0\.' LIMIT 1), to_char(auc, 'FM0.000'), 'rounded, not cut') FROM e;
SELECT is(churn_report_figures('shop', success_rate => .1, value => 60, offer_cost => 5, contact_cost => .5) #>> '{contacts,rows,3,profit}',
    (SELECT profit::text FROM churn_contacts((SELECT churn_ranking(score, churned) FROM rows), .1, 60, 5, .5, ARRAY[(SELECT round(n * .1)::bigint FROM e)])), 'money of one''s own');

-- A curve is what the model adds
SELECT is_empty($$
    WITH f AS (SELECT r->>'name' AS name, b.* FROM report, jsonb_array_elements(figures #> '{features,rows}') AS r,
            jsonb_to_recordset(r->'bins') AS b (low float8, high float8, level text, weight float8, share float8)),
        c AS (SELECT c.feature, c.value, c.contribution FROM rows AS r, churn_models AS m, churn_contributions(m.model, r.features) AS c
              WHERE m.study = 'shop' AND c.feature IN (SELECT name FROM f))
    SELECT f.name, f.low, f.weight, avg(c.contribution) FROM f JOIN c ON c.feature = f.name
        AND CASE WHEN f.level = 'missing' THEN c.value IS NULL ELSE (c.value >= f.low OR f.low IS NULL) AND (c.value < f.high OR f.high IS NULL) AND c.value IS NOT NULL END
    GROUP BY f.name, f.low, f.high, f.level, f.weight, f.share
    HAVING abs(f.weight - avg(c.contribution)) > 1e-9 OR abs(f.share - count(*) / (SELECT n FROM e)::float8) > 1e-9$$, 'curves of linear terms are the mean contributions, shares those of the test users');
SELECT is((SELECT count(*) FROM report, jsonb_array_elements(figures #> '{features,rows}')), 10::bigint, 'ten of them');

-- The page as a page
SELECT is_empty($$SELECT m FROM report, regexp_matches(page, '<script|javascript|https?:|//[a-z]|url\(|@import|\s(src|onload|onclick|style)=', 'gi') AS m$$, 'nothing runs, nothing is loaded');
SELECT ok(octet_length(page) = length(page) AND page !~ '[^\x01-\x7f]', 'ASCII, so right in every encoding') FROM report;
SELECT is((xpath('count(//svg[not(@role="img") or not(title) or not(desc) or string-length(desc) < 20])', doc))[1]::text, '0', 'every drawing has a role, a title and a description') FROM report;
SELECT cmp_ok((xpath('count(//svg)', doc))[1]::text::int, '>=', 18, 'drawings') FROM report;
SELECT is((SELECT count(*) FROM (SELECT i::text FROM report, unnest(xpath('//@id', doc)) AS i GROUP BY 1 HAVING count(*) > 1) AS d), 0::bigint, 'ids are unique');
SELECT is((xpath('count(//table[not(caption)]) + count(//thead//th[not(@scope="col")]) + count(//tbody//tr[not(th[@scope="row"])])', doc))[1]::text, '0', 'tables have captions and scopes') FROM report;
SELECT is((xpath('concat(/html/@lang, count(//h1), count(//main), count(//nav[@aria-label]), count(//section[not(@aria-labelledby)]))', doc))[1]::text, 'en1110', 'language, one h1, landmarks') FROM report;
SELECT is_empty($$WITH h AS (SELECT n, (regexp_match(h, '^<h(\d)'))[1]::int AS level FROM report, regexp_matches(page, '<h[1-6][ >]', 'g') WITH ORDINALITY AS m (a, n), unnest(a) AS h)
    SELECT * FROM (SELECT level, lag(level) OVER (ORDER BY n) AS before FROM h) AS s WHERE level > before + 1$$, 'no level of heading is skipped');
SELECT cmp_ok(length(page), '<', 400000, 'bounded') FROM report;

-- Bins, and pairs as maps; an older version is tested on rows built anew
SELECT version FROM churn_train('shop', snapshots => 1, test_date => '2023-11-20', options => '{"folds": 0, "c": 0.01, "encoding": "bins"}');
SELECT is(churn_report_figures('shop', 1) #> '{test,auc}', (SELECT figures #> '{test,auc}' FROM report), 'a version whose snapshots are gone has the same figures');
CREATE TABLE second AS SELECT churn_report_figures('shop', 2) AS figures;
SELECT is((figures #>> '{test,auc}')::float8, (SELECT (metrics->>'auc')::float8 FROM churn_models WHERE study = 'shop' AND version = 2), 'bins') FROM second;
SELECT is((SELECT array_agg((b->>'weight')::float8) FROM second, jsonb_array_elements(figures #> '{features,rows,0,bins}') AS b),
    (SELECT array_agg(t.weight - t.average ORDER BY t.level NULLS FIRST, t.low NULLS FIRST) FROM second, churn_models AS m, churn_model_terms(m.model) AS t
     WHERE m.study = 'shop' AND m.version = 2 AND t.term = figures #>> '{features,rows,0,name}'), 'a curve of bins is that of churn_model_terms');
SELECT is(figures #> '{past,n}', '2', 'both test dates are shown') FROM second;
SELECT matches(churn_report_page(figures), 'scores were given by model <data[^>]*>1</data>', 'scores of another model say so') FROM second;
CREATE TABLE crossed AS SELECT i AS id, i % 7 AS a, (i * 31) % 11 AS b, (i % 7 < 3) <> ((i * 31) % 11 < 5) AS churned FROM generate_series(1, 1500) AS i;
CREATE TABLE maps AS SELECT churn_report_pairs(churn_fit(c, 'churned', '{"key": "id", "encoding": "pairs"}')) AS figures FROM crossed AS c;
SELECT ok(xml_is_well_formed_document(churn_report_page(jsonb_build_object('pairs', figures))), 'a map is drawn') FROM maps;
SELECT is((SELECT count(*)::int FROM maps, regexp_matches(churn_report_page(jsonb_build_object('pairs', figures)), 'class="cell"', 'g')),
    (SELECT jsonb_array_length(figures #> '{rows,0,cells}') FROM maps), 'with a number in each cell');

-- Hostile text ------------------------------------------------------------------
SELECT E'<script>x</script>"&''\u202E' AS evil \gset
CREATE TABLE :"evil" AS SELECT format(E'%s<script>\n\u202E"&''\x01', user_id % 2999) AS :"evil", ts AS "a<b", amount, CASE kind WHEN 'order' THEN :'evil' ELSE kind || '<i>' END AS kind FROM events;
SELECT churn_create_study(:'evil', churn_window => '60 days', key_kinds => ARRAY[:'evil']);
SELECT churn_add_source(:'evil', quote_ident(:'evil'), user_column => :'evil', time_column => 'a<b', kind_column => 'kind', amount_column => 'amount');
SELECT version FROM churn_train(:'evil', snapshots => 1, options => '{"folds": 0, "c": 0.01}');
CALL churn_refresh(:'evil');
CREATE TABLE bad AS SELECT churn_report(:'evil') AS page;
SELECT ok(xml_is_well_formed_document(page), 'hostile names and keys: well formed') FROM bad;
SELECT is_empty($$SELECT m FROM bad, regexp_matches(page, '<script|<i>x|<b>&|&#x202E;|&#x1;', 'gi') AS m$$, 'no markup, no turned direction, no control character');
SELECT cmp_ok((SELECT count(*) FROM bad, regexp_matches(page, '<bdi>[^<]*&lt;script&gt;[^<]*\[U\+202E\][^<]*</bdi>', 'g')), '>', 5::bigint, 'the text itself, isolated');
SELECT matches(page, '<title>&lt;script&gt;x&lt;/script&gt;&quot;&amp;&#39;\[U\+202E\]: churn report</title>', 'in the title too') FROM bad;

-- Arguments and rights ------------------------------------------------------------
SELECT throws_ok($$SELECT churn_report('shop', success_rate => 2)$$, '22023');
SELECT throws_ok($$SELECT churn_report('shop', value => 'NaN')$$, '22023');
SELECT throws_ok($$SELECT churn_report('shop', past_dates => 13)$$, '22023', 'past_dates must be between 0 and 12, not 13');
CREATE ROLE churn_report_stranger;
SET ROLE churn_report_stranger;
SELECT throws_ok($$SELECT churn_report('shop')$$, '42501');
RESET ROLE;
DROP ROLE churn_report_stranger;
SELECT * FROM finish();
