# Runs that end badly: killed, cancelled, timed out, concurrent, cut off from
# recording. Each leaves a record that says so, and the next one completes.
use strict;
use warnings;
use ChurnNode;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = churn_node('runs',
	{ restart_after_crash => 'on', 'churn.today' => '2023-09-01', client_min_messages => 'warning', log_min_messages => 'fatal' });

# A study, and a stage that waits for a lock wherever the test holds it
$node->safe_psql('postgres', q{
CREATE TABLE events AS SELECT user_id, ts, kind, amount FROM churn_simulate(1800, 243, 3, late_arrivals => false);
SELECT churn_create_study('shop', '60 days', key_kinds => '{order}', windows => '{7,30}');
CREATE VIEW source AS SELECT e.* FROM events AS e, (SELECT pg_sleep(coalesce(nullif(current_setting('test.sleep', true), '')::float8, 0))) AS s OFFSET 0;
SELECT churn_add_source('shop', 'source', 'user_id', 'ts', 'amount', kind_column => 'kind');
SELECT churn_train('shop', snapshots => 1, options => '{"c": 0.001, "encoding": "linear"}');
SELECT churn_promote('shop', 1, force => true, reason => 'a test') FROM churn_models WHERE status <> 'champion';
-- the tables that a stage writes to can be made slow too
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_sleep(coalesce(nullif(current_setting('test.sleep_' || TG_TABLE_NAME, true), '')::float8, 0)); RETURN NULL; END $$;
CREATE TRIGGER slow AFTER INSERT ON shop_scores FOR EACH STATEMENT EXECUTE FUNCTION slow();
});

# A task in a session of its own, with settings that make it slow
sub start
{
	my ($task, $settings) = @_;
	my %run = (out => '', err => '');
	my @settings = map { ('-c', "SET $_") } @{ $settings // [] };
	$run{handle} = IPC::Run::start(
		[ 'psql', '-qXAt', '-v', 'VERBOSITY=verbose', '-d', $node->connstr('postgres'), @settings,
			'-c', "CALL churn_run('shop', '$task')" ],
		'>', \$run{out}, '2>', \$run{err});
	return \%run;
}

# Process of the run, once it sleeps in its stage
sub sleeping
{
	$node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE 'CALL churn_run%'")
	  or die 'the run does not sleep';
	return $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE 'CALL churn_run%'");
}

sub last_runs
{
	my ($n) = @_;
	return $node->safe_psql('postgres', "SELECT string_agg(concat_ws(' ', task, outcome, stage, sqlstate), ', ' ORDER BY id)"
		. " FROM (SELECT * FROM churn_runs ORDER BY id DESC LIMIT $n) AS r");
}

my $scores = q{SELECT count(*) || ' ' || coalesce(md5(string_agg(s::text, '' ORDER BY user_id)), '') FROM shop_scores AS s};
my $staging = q{SELECT count(*) FROM pg_class WHERE relname ~ '^shop_(staging|scoring|late)'};

# Killed while it reads, trains and writes
my %slow = (
	reading => [ 'refresh', [ 'test.sleep = 60' ] ],
	training => [ 'retrain', [ 'test.sleep = 60' ] ],
	writing => [ 'refresh', [ 'test.sleep_shop_scores = 60' ] ]);
$node->safe_psql('postgres', "CALL churn_run('shop', 'refresh')");
my $before = $node->safe_psql('postgres', $scores);
like($before, qr/^[1-9]\d\d/, 'there are scores');
for my $when (qw(reading training writing))
{
	my ($task, $settings) = @{ $slow{$when} };
	my $run = start($task, $settings);
	kill 'KILL', sleeping();
	$run->{handle}->finish;
	$node->poll_query_until('postgres', 'SELECT true');
	is(last_runs(1), "$task running $task", "$when: the killed run left a record that says running");
	is($node->safe_psql('postgres', "SELECT last_outcome || ' ' || last_task FROM churn_status"), "died $task",
		"$when: churn_status knows better");
	is($node->safe_psql('postgres', $scores), $before, "$when: nothing is half-written");
	$node->safe_psql('postgres', "CALL churn_run('shop', 'refresh')");
	is(last_runs(2), "$task died $task, refresh done", "$when: the next run marks it and completes");
}
like($node->safe_psql('postgres', "SELECT DISTINCT message FROM churn_runs WHERE outcome = 'died' LIMIT 1"),
	qr/^its backend \d+ ended without a word; found by run \d+$/, 'and says how it knew');

# A session that is ended by an administrator
my $run = start('refresh', [ 'test.sleep = 60' ]);
$node->safe_psql('postgres', 'SELECT pg_terminate_backend(' . sleeping() . ')');
$run->{handle}->finish;
like($run->{err}, qr/57P01/, 'terminated');

# Timed out, cancelled
$run = start('refresh', [ 'test.sleep = 60', "statement_timeout = '500ms'" ]);
$run->{handle}->finish;
like($run->{err}, qr/57014: canceling statement due to statement timeout/, 'a timeout is raised again');
is(last_runs(2), 'refresh died refresh, refresh cancelled refresh 57014', 'and recorded; the terminated one had died');
$run = start('retrain', [ 'test.sleep = 60' ]);
$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . sleeping() . ')');
$run->{handle}->finish;
like($run->{err}, qr/57014: canceling statement due to user request/, 'so is a cancel');
is(last_runs(1), 'retrain cancelled retrain 57014', 'and recorded');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), '0', 'nobody holds the lock');

# Four at once
my $first = start('refresh', [ 'test.sleep = 4' ]);
sleeping();
my @others = map { start($_) } qw(refresh retrain nightly);
$_->{handle}->finish for @others;
ok($first->{handle}->pumpable, 'those that are skipped do not wait');
like(join(' ', map { $_->{err} } @others), qr/^\s*$/, 'nor fail');
my (undef, undef, $refused) = $node->psql('postgres', "\\set VERBOSITY verbose\nCALL churn_refresh('shop')");
like($refused, qr/55P03: study "shop" is being worked on/, 'churn_refresh is refused meanwhile');
my (undef, undef, $said) = $node->psql('postgres', "SET client_min_messages = notice;\nCALL churn_run('shop', 'refresh')");
like($said, qr/NOTICE:  task "refresh" of study "shop" is skipped: run \d+ \(refresh\) of this study has been at work since/, 'the caller is told why');
$first->{handle}->finish;
is($node->safe_psql('postgres', q{SELECT string_agg(outcome, ' ' ORDER BY outcome) FROM (SELECT * FROM churn_runs ORDER BY id DESC LIMIT 5) AS r}),
	'done skipped skipped skipped skipped', 'one worked, the others are recorded as skipped');
like($node->safe_psql('postgres', q{SELECT message FROM churn_runs WHERE outcome = 'skipped' ORDER BY id LIMIT 1}),
	qr/^run \d+ \(refresh\) of this study has been at work since/, 'with the reason');

# Really at once, nobody first
my @four = map { start('refresh', [ 'test.sleep = 3' ]) } 1 .. 4;
$_->{handle}->finish for @four;
is($node->safe_psql('postgres', q{SELECT string_agg(outcome, ' ' ORDER BY outcome) FROM (SELECT * FROM churn_runs ORDER BY id DESC LIMIT 4) AS r}),
	'done skipped skipped skipped', 'four at once: one works');

# A study dropped under a run: the error is raised, the record has gone
$run = start('refresh', [ 'test.sleep_shop_scores = 3' ]);
sleeping();
$node->safe_psql('postgres', "SELECT churn_drop_study('shop')");
$run->{handle}->finish;
is($node->safe_psql('postgres', 'SELECT count(*) FROM churn_runs'), '0', 'runs go with their study');
is($node->safe_psql('postgres', $staging), '0', 'no staging table is left');
$node->stop;
done_testing();
