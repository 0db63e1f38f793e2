-- The AUC that scores promise of themselves (CBPE) against the one that came
-- true, on the out-of-time test of a simulated shop, seasons off and on.
--
-- psql -f bench/expected.sql [-v users=15000]
\set ON_ERROR_STOP on
\set QUIET on
\if :{?users} \else \set users 15000 \endif
SET client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS churn;
SET churn.today = '2023-11-27';
SELECT format('CREATE TABLE %s AS SELECT user_id, ts, kind, amount FROM churn_simulate(%s, 330, 5, late_arrivals => false, seasons => %L)', name, :'users', seasons),
    format('SELECT churn_create_study(%L, ''60 days'', key_kinds => ''{order}'', windows => ''{7,30,90}'')', name),
    format('SELECT churn_add_source(%L, %1$L, ''user_id'', ''ts'', ''amount'', kind_column => ''kind'')', name),
    format('SELECT churn_train(%L, snapshots => 2, options => ''{"c": 0.001, "encoding": "linear"}'')', name)
FROM (VALUES ('seasons_off', false), ('seasons_on', true)) AS v (name, seasons)
\o /dev/null
\gexec
\o
SELECT m.study, x.users, round((x.expected ->> 'auc')::numeric, 4) AS expected_auc, round((m.metrics ->> 'auc')::numeric, 4) AS realised_auc,
    round(((x.expected ->> 'auc')::float8 - (m.metrics ->> 'auc')::float8)::numeric, 4) AS difference,
    round((m.metrics ->> 'mean_score')::numeric, 3) AS mean_score, round((m.metrics ->> 'test_churn_rate')::numeric, 3) AS churn_rate
FROM churn_models AS m JOIN churn_distributions AS x ON x.model_id = m.id ORDER BY 1;
