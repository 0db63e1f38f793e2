# A dump that is restored: studies, models and what was said of them are there
# again, the champion scores, and the gate stands.
use strict;
use warnings;
use ChurnNode;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = churn_node('dump', { 'churn.today' => '2023-09-01' });

$node->safe_psql('postgres', q{
CREATE TABLE events AS SELECT user_id, ts, kind, amount FROM churn_simulate(1800, 243, 3, late_arrivals => false);
CREATE TABLE people AS SELECT DISTINCT user_id, CASE WHEN user_id % 2 = 0 THEN 'even' ELSE 'odd' END AS parity FROM events;
SELECT churn_create_study('shop', '60 days', key_kinds => '{order}', windows => '{7,30}');
SELECT churn_add_source('shop', 'events', 'user_id', 'ts', 'amount', kind_column => 'kind');
SELECT churn_set_profile('shop', 'people', 'user_id');
SELECT churn_set_target('shop', 'auc', '>', 0.6, slice => 'parity = ''even''');
SELECT churn_train('shop', options => '{"c": 0.001}');
SELECT churn_set_target('shop', 'lift_10', '>=', 50);
SELECT churn_train('shop', snapshots => 1, options => '{"c": 0.01}');
SELECT churn_promote('shop', 2, force => true, reason => 'a trial');
});

# What must be the same afterwards.
my $tables = join ' UNION ALL ', map { "SELECT '$_' AS t, md5(string_agg(r::text, E'\\n' ORDER BY r::text)) FROM $_ AS r" }
  qw(churn_studies churn_sources churn_profiles churn_targets churn_models churn_verdicts churn_promotions);
my $wanted = $node->safe_psql('postgres', "$tables ORDER BY 1");
my $score = "SELECT sum(churn_score(u, 'shop')) FROM generate_series(1, 40) AS u";
my $scored = $node->safe_psql('postgres', $score);
unlike($wanted, qr/\|$/m, 'every table has rows');

my $file = "$PostgreSQL::Test::Utils::tmp_check/all.dump";
for my $single (0, 1)
{
	my $name = $single ? 'in one transaction' : 'statement by statement';
	my $database = "restored$single";

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	if ($single)
	{
		command_ok([ 'pg_dump', '-Fc', '-f', $file, $node->connstr('postgres') ], 'pg_dump -Fc');
		command_ok([ 'pg_restore', '-1', '--exit-on-error', '-d', $node->connstr($database), $file ],
			'pg_restore -1');
	}
	else
	{
		command_ok([ 'pg_dump', '-f', $file, $node->connstr('postgres') ], 'pg_dump');
		command_ok([ 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($database), '-f', $file ],
			'psql -f');
	}
	is($node->safe_psql($database, "$tables ORDER BY 1"), $wanted, "$name: the same rows");
	is($node->safe_psql($database, $score), $scored, "$name: the same scores");
	my (undef, undef, $refusal) = $node->psql($database,
		"INSERT INTO churn_models (study, version, status, model, band_cutoffs, metrics, created_by)"
		. " SELECT study, 9, 'champion', model, band_cutoffs, metrics, created_by FROM churn_models WHERE version = 1");
	like($refusal, qr/a new model cannot be "champion"/, "$name: nobody enters as champion");
	is($node->safe_psql($database, "SELECT churn_rollback('shop')"), '1', "$name: back to the champion before");
	is($node->safe_psql($database, "SELECT version, status FROM churn_train('shop', options => '{\"c\": 0.001}')"),
		'3|refused', "$name: training goes on where it was");
}
$node->stop;
done_testing();
