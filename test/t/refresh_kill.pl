# A refresh whose backend is killed with SIGKILL at random moments: nothing is
# lost, and the next one ends in the bits of a study that was never disturbed.
# One session at a time refreshes a study.
use strict;
use warnings;
use ChurnNode;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $kills = 20;
my $node = churn_node('refresh_kill',
	{ restart_after_crash => 'on', work_mem => '256kB', client_min_messages => 'error', log_min_messages => 'fatal' });

# Two studies on the same events with the same champion
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE coming AS SELECT row_number() OVER (ORDER BY ts) AS id, *, (ts AT TIME ZONE 'UTC')::date AS day
    FROM churn_simulate(1500, 300, 7);
CREATE TABLE shop AS SELECT * FROM coming WHERE day < '2023-09-01';
CREATE INDEX ON shop (user_id, ts);
CREATE INDEX ON shop (id);
ANALYZE shop;
SET churn.today = '2023-08-31';
SELECT churn_create_study(s, '60 days', key_kinds => '{order}', windows => '{7,30,90}') FROM unnest('{shop,twin}'::text[]) s;
SELECT churn_add_source(s, 'shop', 'user_id', 'ts', 'amount', kind_column => 'kind', growing_column => 'id')
    FROM unnest('{shop,twin}'::text[]) s;
SELECT churn_train('shop', snapshots => 1, options => '{"c": 0.001, "encoding": "linear"}');
SELECT churn_promote('shop', 1, force => true, reason => 'a test') FROM churn_models WHERE status <> 'champion';
SET row_security = off;
INSERT INTO churn_models (study, version, status, model, band_cutoffs, metrics, created_by)
    SELECT 'twin', version, status, model, band_cutoffs, metrics, created_by FROM churn_models;
CALL churn_refresh('shop');
CALL churn_refresh('twin');
SQL

# What differs between the two studies, and from histories built from nothing
sub differences
{
	my ($today) = @_;
	return $node->safe_psql('postgres', <<"SQL");
SET churn.today = '$today';
SELECT format(\$f\$SELECT (SELECT count(*) FROM shop_history h FULL JOIN (%s) t USING (user_id)
        WHERE h.history IS DISTINCT FROM t.history)
    || ' ' || (SELECT count(*) FROM shop_history h FULL JOIN twin_history t USING (user_id)
        WHERE h.history IS DISTINCT FROM t.history OR h.through <> t.through)
    || ' ' || (SELECT count(*) FROM (SELECT * FROM shop_scores EXCEPT SELECT * FROM twin_scores) s)
    || ' ' || (SELECT count(*) FROM (SELECT * FROM twin_scores EXCEPT SELECT * FROM shop_scores) s)\$f\$,
    churn_event_histories_sql(s, '$today')) FROM churn_studies s WHERE study = 'shop' \\gexec
SQL
}

# Refresh in a session of its own that is killed after some seconds; whether
# it was still at work.
sub refresh_killed
{
	my ($today, $delay) = @_;
	my ($out, $err) = ('', '');
	my $session = IPC::Run::start(
		[ 'psql', '-qXAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'),
			'-c', "SET churn.today = '$today'", '-c', 'SELECT pg_backend_pid()',
			'-c', "CALL churn_refresh('shop')" ],
		'>', \$out, '2>', \$err);
	my $until = time + 30;
	$session->pump_nb until $out =~ /(\d+)\n/ or time > $until;
	my $pid = $1;
	sleep($delay);
	kill 'KILL', $pid;
	$session->finish;
	return $err =~ /server closed the connection|connection to server was lost/;
}

$node->safe_psql('postgres', "UPDATE churn_histories SET digest = 'void' WHERE study = 'shop'");
my $began = time;
$node->safe_psql('postgres', "SET churn.today = '2023-08-31';\nCALL churn_refresh('shop');");
my $usual = time - $began;

srand(17);
my ($hit, $bad, $lost, $partly, $day) = (0, 0, 0, 0, 0);
for my $try (1 .. 4 * $kills)
{
	last if $hit == $kills;
	$day++ if $try % 2;
	my $today = $node->safe_psql('postgres', "SELECT date '2023-09-01' + $day");
	# new events, and some that come late; now and then all must be read anew
	$node->safe_psql('postgres', <<"SQL");
INSERT INTO shop SELECT * FROM coming WHERE day <= '$today' AND day > (SELECT max(day) FROM shop) AND (id % 20 > 0 OR day < date '$today' - 9);
INSERT INTO shop SELECT id + 1000000 + $try, user_id, ts, kind, amount, day FROM coming WHERE id % 1000 = $try AND day < '$today';
SQL
	$node->safe_psql('postgres', "UPDATE churn_histories SET digest = 'void'") if $try % 3 == 0;
	my $before = $node->safe_psql('postgres', 'SELECT count(*) FROM shop_scores');
	my $was_hit = refresh_killed($today, rand() * $usual);
	$node->poll_query_until('postgres', 'SELECT true') if $was_hit;
	$hit++ if $was_hit;
	$lost++ if $node->safe_psql('postgres', 'SELECT count(*) FROM shop_scores') < $before * .8;
	$partly++ if $node->safe_psql('postgres', "SELECT count(*) FROM churn_histories WHERE study = 'shop' AND ranges_done BETWEEN 1 AND ranges - 1");
	$node->safe_psql('postgres', "SET churn.today = '$today';\nCALL churn_refresh('shop');\nCALL churn_refresh('twin');");
	my $found = differences($today);
	$bad++, diag("kill $hit on $today: $found") if $found ne '0 0 0 0';
}
is($hit, $kills, "$kills refreshes were killed at work");
is($bad, 0, 'each time the next one ended in the bits of the undisturbed study');
is($lost, 0, 'nobody ever saw the scores gone');
cmp_ok($partly, '>', 0, 'some died between two ranges of users');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_class WHERE relname ~ '^shop_(staging|scoring|late)'"),
	'0', 'no staging table is left');

# One at a time
$node->safe_psql('postgres', <<'SQL');
CREATE VIEW slow AS SELECT shop.* FROM shop, (SELECT pg_sleep(4)) AS s OFFSET 0;
SELECT churn_create_study('slow', '60 days', key_kinds => '{order}');
SELECT churn_add_source('slow', 'slow', 'user_id', 'ts', 'amount', kind_column => 'kind');
SET row_security = off;
INSERT INTO churn_models (study, version, status, model, band_cutoffs, metrics, created_by)
    SELECT 'slow', 1, 'champion', model, band_cutoffs, metrics, created_by FROM churn_models LIMIT 1;
SQL
my ($out, $err) = ('', '');
my $first = IPC::Run::start(
	[ 'psql', '-qXAt', '-d', $node->connstr('postgres'), '-c', "CALL churn_refresh('slow')" ],
	'>', \$out, '2>', \$err);
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory'"),
	'a refresh holds its lock');
my ($status, undef, $refused) = $node->psql('postgres', "\\set VERBOSITY verbose\nCALL churn_refresh('slow')");
like($refused, qr/55P03: study "slow" is being refreshed by another session/, 'a second one is refused');
is($node->safe_psql('postgres', "SET churn.today = '2023-09-10';\nCALL churn_refresh('twin');\nSELECT 'done'"),
	'done', 'another study is free');
$first->signal('INT');
$first->finish;
ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory'"),
	'a cancelled one frees its lock');
$node->stop;
done_testing();
