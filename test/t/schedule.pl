# Tasks scheduled on the real pg_cron: jobs run every minute as their owner,
# also after a restart, and what became of them is recorded; where pg_cron is
# not, the error says the way to it.
use strict;
use warnings;
use ChurnNode;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($share, $lib) = map { chomp(my $folder = `pg_config --$_`); $folder } qw(sharedir pkglibdir);
plan skip_all => 'the package postgresql-15-cron is not installed'
  unless -e "$share/extension/pg_cron.control" && -e "$lib/pg_cron.so";

my $node = PostgreSQL::Test::Cluster->new('schedule');
$node->init;
churn_configure($node,
	{
		shared_preload_libraries => 'pg_cron',
		'cron.database_name' => 'postgres',
		'cron.host' => $node->host,
		'churn.today' => '2023-09-01',
		client_min_messages => 'warning'
	});
$node->start;

# SQL as a role in a database; its standard error, with SQLSTATE and hint
sub refused
{
	my ($role, $database, $sql) = @_;
	my (undef, undef, $err) = $node->psql($database, "\\set VERBOSITY verbose\nSET ROLE $role;\n$sql");
	return $err;
}

# Whether a query comes true within so many seconds
sub seen_within
{
	my ($seconds, $database, $query) = @_;

	for (1 .. $seconds)
	{
		return 1 if $node->safe_psql($database, $query) eq 't';
		sleep 1;
	}
	return 0;
}

my $awkward = q{it's "100%"; \\ – x};
$node->safe_psql('postgres', q{
CREATE ROLE analyst LOGIN;
CREATE ROLE locked NOLOGIN IN ROLE analyst;
CREATE EXTENSION churn;
CREATE SCHEMA lab AUTHORIZATION analyst;
CREATE TABLE events AS SELECT user_id, ts, kind, amount FROM churn_simulate(1800, 243, 3, late_arrivals => false);
GRANT SELECT ON events TO analyst;
CREATE DATABASE other;
});
$node->safe_psql('other', 'CREATE EXTENSION churn; CREATE SCHEMA lab AUTHORIZATION analyst;');
my $study = q{
SET ROLE analyst;
SELECT churn_create_study(s, '60 days', key_kinds => '{order}', windows => '{7,30}', schema => 'lab')
FROM unnest(ARRAY['shop', 'bare', $x$} . $awkward . q{$x$]) AS s;
};
$node->safe_psql($_, $study) for 'postgres', 'other';
$node->safe_psql('postgres', q{
SET ROLE analyst;
SELECT churn_add_source('shop', 'events', 'user_id', 'ts', 'amount', kind_column => 'kind');
SELECT churn_train('shop', snapshots => 1, options => '{"c": 0.001, "encoding": "linear"}');
SELECT churn_promote('shop', 1, force => true, reason => 'a test') FROM churn_models WHERE status <> 'champion';
});

# Where pg_cron is not
my $nightly = "SELECT churn_schedule('shop', 'nightly', '15 3 * * *');";
like(refused('analyst', 'postgres', $nightly), qr/55000: the extension pg_cron has not been created.*CREATE EXTENSION pg_cron; GRANT USAGE ON SCHEMA cron TO analyst;.*crontab -e/s,
	'pg_cron runs, but the extension is not there');
$node->safe_psql('postgres', 'CREATE EXTENSION pg_cron');
like(refused('analyst', 'postgres', $nightly), qr/42501: permission denied for schema cron.*GRANT USAGE ON SCHEMA cron TO analyst/s,
	'without USAGE on its schema');
is($node->safe_psql('postgres', 'SET ROLE analyst; SELECT count(*) FROM churn_schedules'), '0', 'and the view is empty then');
$node->safe_psql('postgres', 'GRANT USAGE ON SCHEMA cron TO analyst');
my $elsewhere = refused('analyst', 'other', "SELECT churn_schedule('shop', 'refresh', '* * * * *');");
like($elsewhere, qr/55000: pg_cron runs in database "postgres", not in "other"/, 'in another database');
my ($from_there) = $elsewhere =~ /^(SELECT cron\.schedule_in_database\(.*\);)$/m;

# What cannot be scheduled
like(refused('analyst', 'postgres', "SELECT churn_schedule('shop', 'nightly', '$_');"), qr/22023: .*HINT: *Minute, hour/s, "the time $_")
  for '61 * * * *', 'now', '';
like(refused('analyst', 'postgres', "SELECT churn_schedule('shop', 'weekly', '* * * * *');"), qr/22023: unknown task "weekly"/, 'an unknown task');
like(refused('analyst', 'postgres', "SELECT churn_schedule('none', 'nightly', '* * * * *');"), qr/42704: study "none"/, 'an unknown study');
like(refused('analyst', 'postgres', "SELECT churn_unschedule('shop', 'nightly');"), qr/42704: task "nightly" of study "shop" is not scheduled by analyst/, 'not scheduled');

# Names that need quotes; the same task again
$node->safe_psql('postgres', "SET ROLE analyst; SELECT churn_schedule(\$x\$$awkward\$x\$, 'nightly', '$_ 3 * * *');") for 15, 20;
is($node->safe_psql('postgres', 'SET ROLE analyst; SELECT study, task, cron, active, outcome FROM churn_schedules'),
	"$awkward|nightly|20 3 * * *|t|", 'an awkward name; the second time replaces the first');
like(refused('analyst', 'postgres', $node->safe_psql('postgres', 'SELECT command FROM cron.job')),
	qr/55000: study "\Q$awkward\E" has no/, 'the command of its job calls it');
$node->safe_psql('postgres', "SET ROLE analyst; SELECT churn_unschedule(\$x\$$awkward\$x\$, 'nightly')");
is($node->safe_psql('postgres', 'SELECT count(*) FROM cron.job'), '0', 'and is taken back');

# The crontab line, taken by a shell
my $line = $node->safe_psql('postgres', "SELECT churn_crontab_line(\$x\$$awkward\$x\$, 'refresh', '* * * * *')");
$line =~ s/^(\S+ ){5}//;
$line =~ s/\\%/%/g;
$line =~ s/^psql/'psql -h ' . $node->host . ' -p ' . $node->port/e;
like(`$line 2>&1`, qr/study "\Q$awkward\E" has no champion/, 'the crontab line says the same to a shell');
is($node->safe_psql('postgres', q{SELECT trigger || ' ' || outcome FROM churn_runs ORDER BY id DESC LIMIT 1}),
	'schedule failed', 'and is recorded');

# Every minute: one that works, one that fails, one that cannot connect, one
# in another database; the server is restarted before they first run.
$node->safe_psql('postgres', "SET ROLE analyst; SELECT churn_schedule('shop', 'refresh', '* * * * *'), churn_schedule('bare', 'refresh', '* * * * *');");
$node->safe_psql('postgres', "GRANT USAGE ON SCHEMA cron TO locked; SET ROLE locked; SELECT churn_schedule('bare', 'nightly', '* * * * *');");
$node->safe_psql('postgres', $from_there);
$node->restart;
my $seen = q{SELECT study, task, runs_as, outcome, next_run > now() - interval '5 s', message
FROM churn_schedules ORDER BY 1, 2};
ok(seen_within(100, 'postgres', q{SELECT count(*) = 3 FROM churn_schedules WHERE outcome <> 'running'}),
	'pg_cron started them within its minute');
is($node->safe_psql('postgres', $seen), join("\n",
		'bare|nightly|locked|failed|t|connection failed',
		'bare|refresh|analyst|failed|t|study "bare" has no champion',
		'shop|refresh|analyst|done|t|'), 'what became of each');
is($node->safe_psql('postgres', q{SELECT DISTINCT study, task, who, outcome, sqlstate, rows ->> 'refresh' > '0' FROM churn_runs WHERE trigger = 'schedule' AND study <> 'bare' AND study !~ ' '}),
	'shop|refresh|analyst|done||t', 'the run is recorded, under the name of its role');
is($node->safe_psql('postgres', 'SET ROLE analyst; SELECT string_agg(task, $$ $$ ORDER BY task) FROM churn_schedules'), 'refresh refresh', 'a role sees its own');
ok(seen_within(30, 'other', q{SELECT count(*) > 0 FROM churn_runs WHERE who = 'analyst' AND trigger = 'schedule' AND sqlstate = '55000'}),
	'the line for another database works, once a superuser has said it');
is($node->safe_psql('postgres', q{SELECT next_task || ' ' || (next_run > now()) || ' ' || (last_outcome = 'done') FROM churn_status WHERE study = 'shop'}),
	'refresh true true', 'churn_status names the next run');

# A study that is dropped takes the jobs of its owner along
$node->safe_psql('postgres', "SET ROLE analyst; SELECT churn_drop_study('shop')");
is($node->safe_psql('postgres', q{SELECT count(*) FROM cron.job WHERE jobname = 'churn refresh shop' AND database = 'postgres'}), '0', 'no job of a study that is gone');
$node->stop;
done_testing();
