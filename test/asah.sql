-- DeLong's interval and test on the data set aSAH of R's package pROC. The
-- rows come from R itself; without R or pROC the test is skipped.
\set QUIET on
SET client_min_messages = warning;
\set rows `Rscript -e 'data(aSAH, package = "pROC"); with(aSAH, cat(paste(outcome == "Poor", s100b, wfns, ndka, sep = ",", collapse = ";")))' 2>/dev/null`
SELECT plan(14);
SELECT :'rows' = '' AS missing \gset
\if :missing
SELECT skip('R with pROC (Debian: r-cran-proc) is not there', 14);
\else
CREATE TABLE asah AS
SELECT f[1]::boolean AS poor, f[2]::float8 AS s100b, f[3]::float8 AS wfns, f[4]::float8 AS ndka
FROM (SELECT string_to_array(r, ',') AS f FROM unnest(string_to_array(:'rows', ';')) r) x;
CREATE FUNCTION near(have float8, want float8, tolerance float8, what text) RETURNS text
LANGUAGE sql AS $$ SELECT ok(abs(have - want) <= tolerance, what || ': ' || coalesce(have::text, 'NULL')) $$;
SELECT is((SELECT count(*) FROM asah), 113::bigint, 'all rows');
SELECT unnest(ARRAY[near(t.a, w.a, 1e-6, w.name || ' AUC'), near(t.l, w.l, 1e-6, w.name || ' lower'), near(t.u, w.u, 1e-6, w.name || ' upper')])
FROM (SELECT 'ndka' AS name, (c).auc AS a, (c).lower AS l, (c).upper AS u FROM (SELECT churn_auc_ci(ndka, poor) AS c FROM asah) x
      UNION ALL SELECT 's100b', (c).auc, (c).lower, (c).upper FROM (SELECT churn_auc_ci(s100b, poor) AS c FROM asah) x
      UNION ALL SELECT 'wfns', (c).auc, (c).lower, (c).upper FROM (SELECT churn_auc_ci(wfns, poor) AS c FROM asah) x) t
JOIN (VALUES ('s100b', .7313686, .6301182, .8326189), ('wfns', .8236789, .7485349, .8988228), ('ndka', .6119580, .5012450, .7226710)) w(name, a, l, u) USING (name);
SELECT unnest(ARRAY[near((t).z, -2.209, 1e-3, 's100b against wfns, z'), near((t).p, .02718, 1e-3, 'p')]) FROM (SELECT churn_auc_test(s100b, wfns, poor) AS t FROM asah) x;
SELECT unnest(ARRAY[near((t).z, 1.3908, 1e-3, 's100b against ndka, z'), near((t).p, .1643, 1e-3, 'p')]) FROM (SELECT churn_auc_test(s100b, ndka, poor) AS t FROM asah) x;
\endif
SELECT * FROM finish();
