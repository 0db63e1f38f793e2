# Promotion under load: while four clients score, the champion changes 200
# times. Every statement uses one version for all its users, none fails.
use strict;
use warnings;
use ChurnNode;
use PostgreSQL::Test::Utils;
use Test::More;

my $promotions = 200;
my $node = churn_node('promote', { 'churn.today' => '2023-09-01' });

$node->safe_psql('postgres', q{
CREATE TABLE events AS SELECT user_id, ts, kind, amount FROM churn_simulate(1800, 243, 3, late_arrivals => false);
CREATE INDEX ON events (user_id);
SELECT churn_create_study('shop', '60 days', key_kinds => '{order}', windows => '{7,30}');
SELECT churn_add_source('shop', 'events', 'user_id', 'ts', 'amount', kind_column => 'kind');
SELECT churn_train('shop', options => '{"c": 0.001}');
SELECT churn_train('shop', snapshots => 1, options => '{"c": 0.01}');
CREATE TABLE truth AS SELECT user_id, churn_score(user_id) AS one, 0::float8 AS two
FROM (SELECT DISTINCT user_id FROM events ORDER BY user_id LIMIT 60) u WHERE churn_score(user_id) IS NOT NULL;
SELECT churn_promote('shop', 2, force => true, reason => 'to have two');
UPDATE truth SET two = churn_score(user_id);
DELETE FROM truth WHERE one = two;
CREATE TABLE seen (version int);
});
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM truth'), '>', 15,
	'users whose score tells the version');

# A statement that mixed versions would divide by zero.
my $script = "$PostgreSQL::Test::Utils::tmp_check/score.sql";
append_to_file($script, q{
INSERT INTO seen SELECT CASE WHEN bool_and(s.score = s.one) THEN 1 WHEN bool_and(s.score = s.two) THEN 2 ELSE (1 / (0 * count(*)))::int END
FROM (SELECT t.*, churn_score(t.user_id, 'shop') AS score FROM truth AS t OFFSET 0) AS s;
});

# From another session, because a promotion is a transaction of its own.
my $swaps = join '', map {
	"SELECT churn_promote('shop', " . (2 - $_ % 2) . ", force => true, reason => 'load');\n"
} 1 .. $promotions;

my ($out, $err) = ('', '');
my $load = IPC::Run::start(
	[ 'pgbench', '-n', '-c', '4', '-j', '1', '-T', '300', '-f', $script, $node->connstr('postgres') ],
	'>', \$out, '2>', \$err);
ok($node->poll_query_until('postgres', 'SELECT count(*) > 8 FROM seen'), 'clients score');
my ($status, undef, $complaints) = $node->psql('postgres', "SET client_min_messages = error;\n$swaps",
	on_error_stop => 1);
is($status, 0, 'every promotion succeeds') or diag($complaints);
ok($node->poll_query_until('postgres', 'SELECT count(DISTINCT version) = 2 FROM seen'),
	'clients saw both versions');
my $scored = $node->safe_psql('postgres', 'SELECT count(*) FROM seen');
ok($load->pumpable, 'no client has stopped');
$load->signal('TERM');
$load->finish;
unlike($err, qr/ERROR|aborted/, "no error, and one version, in each of $scored statements");
is($node->safe_psql('postgres', "SELECT count(*) FROM churn_models WHERE status = 'champion'"), '1',
	'one champion');
is($node->safe_psql('postgres', q{SELECT count(*) FROM churn_promotions WHERE reason = 'load'}),
	$promotions, 'every promotion was recorded');
$node->stop;
done_testing();
