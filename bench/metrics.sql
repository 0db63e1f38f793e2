-- Metrics in their ordered form against the sort that they stand on: the
-- executor sorts and spills, the state stays small.
\echo
\echo == metrics
SELECT * FROM bench_settings;

CREATE UNLOGGED TABLE bench_scores AS
    SELECT random() AS score, random() < .3 AS label FROM generate_series(1, :events);
ANALYZE bench_scores;

SELECT 'SELECT count(*) FROM (SELECT score, label FROM bench_scores ORDER BY score OFFSET 0) AS s' AS theirs \gset
CALL bench_pair('metrics: AUC', ARRAY['SELECT churn_auc(score, label ORDER BY score) FROM bench_scores'],
    ARRAY[:'theirs'], :runs);
CALL bench_pair('metrics: KS', ARRAY['SELECT churn_ks(score, label ORDER BY score) FROM bench_scores'],
    ARRAY[:'theirs'], :runs);
CALL bench_pair('metrics: gains', ARRAY['SELECT (churn_gains(churn_rank_order(score, label ORDER BY score), 10)).* FROM bench_scores'],
    ARRAY[:'theirs'], :runs);
SELECT what, runs, ours AS churn, theirs AS sort_alone, ours_per_theirs AS ratio, '<= 1.5' AS aim
FROM bench_report('metrics') ORDER BY what;
DROP TABLE bench_scores;
