# A fit as a guest of the server: a cancel ends it soon in every phase, and
# leaks nothing; workers that cannot be had, that are terminated, or that
# shared memory cannot be had for. CHURN_FIT_ROWS: size of the table.
use strict;
use warnings;
use ChurnNode;
use List::Util 'min';
use PostgreSQL::Test::Utils;
use Test::More;

my $rows = $ENV{CHURN_FIT_ROWS} || 100000;
my $seconds_allowed = 5;    # two are promised; tests share the machine
my $node = churn_node('fits', { fsync => 'off', shared_buffers => '64MB', max_worker_processes => 8,
	max_parallel_workers => 8, max_parallel_maintenance_workers => 2, log_statement => 'none' });
my $columns = join(', ', map { "random() AS c$_" } 1 .. 40);

$node->safe_psql('postgres', <<"SQL");
SELECT setseed(.5);
CREATE TABLE big AS SELECT i AS id, random() < .3 AS churned, $columns FROM generate_series(1, $rows) i;
CREATE TABLE small AS SELECT * FROM big LIMIT 3000;
-- Wait until the session of that name shows that phase, cancel it or one of
-- its workers, and tell the seconds until it and its workers are gone; NULL
-- when the phase never came.
CREATE FUNCTION end_at(victim text, phase text, worker boolean) RETURNS float8 LANGUAGE plpgsql AS \$\$
DECLARE
    target int;
    began timestamptz := clock_timestamp();
BEGIN
    LOOP
        PERFORM pg_stat_clear_snapshot();
        SELECT pid INTO target FROM pg_stat_activity a
        WHERE a.application_name = victim AND query LIKE phase
              AND backend_type = CASE WHEN worker THEN 'parallel worker' ELSE 'client backend' END;
        EXIT WHEN target IS NOT NULL;
        IF clock_timestamp() > began + interval '100 s' THEN
            RETURN NULL;
        END IF;
        PERFORM pg_sleep(.005);
    END LOOP;
    began := clock_timestamp();
    PERFORM CASE WHEN worker THEN pg_terminate_backend(target) ELSE pg_cancel_backend(target) END;
    LOOP
        PERFORM pg_stat_clear_snapshot();
        EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.application_name = victim AND state = 'active');
        PERFORM pg_sleep(.005);
    END LOOP;
    RETURN extract(epoch FROM clock_timestamp() - began);
END \$\$;
SQL

my $victims = 0;

# Start a fit in a session of its own, with these settings and options.
sub start_fit
{
	my ($table, $settings, $options) = @_;
	my $victim = { name => 'victim' . ++$victims, out => '', err => '' };

	local $ENV{PGAPPNAME} = $victim->{name};
	$victim->{run} = IPC::Run::start(
		[ 'psql', '-qXAt', '-d', $node->connstr('postgres'), '-v', 'VERBOSITY=verbose',
			(map { ('-c', "SET $_ = '$settings->{$_}'") } sort keys %$settings),
			'-c', "SELECT md5(churn_fit(t, 'churned', '$options')::text) FROM $table t" ],
		'>', \$victim->{out}, '2>', \$victim->{err});
	return $victim;
}

sub cancel_in
{
	my ($what, $phase, $settings, $options) = @_;
	my $victim = start_fit('big', $settings, $options);
	my $seconds = $node->safe_psql('postgres', "SELECT end_at('$victim->{name}', '$phase', false)");

	$victim->{run}->finish;
	like($victim->{err}, qr/ERROR:  57014/, "$what: canceled");
	cmp_ok($seconds eq '' ? 999 : $seconds, '<', $seconds_allowed, "$what: soon");
	diag(sprintf('%-40s %.2f s', $what, $seconds)) if $seconds ne '';
	return;
}

my $search = "\"key\": \"id\", \"max_search_rows\": $rows, \"memory\": \"4GB\"";

cancel_in('collecting rows', 'SELECT md5%', {}, '{"key": "id"}');
cancel_in('collecting, to files', 'SELECT md5%', { 'churn.memory' => '8MB' }, '{"key": "id"}');
cancel_in('sorting', '/* churn\_fit: sorting%', {}, '{"key": "id"}');
cancel_in('sorting, in files', '/* churn\_fit: sorting%', { 'churn.memory' => '8MB' }, '{"key": "id"}');
cancel_in('folds by LIBLINEAR in workers', '/* churn\_fit: fold _ of 5, step 2%', {}, "{$search}");
cancel_in('folds by newton in workers', '/* churn\_fit: fold _ of 5, step 1 %', {}, "{$search, \"encoding\": \"bins\"}");
cancel_in('folds by LIBLINEAR without workers', '/* churn\_fit: fold 1%', { max_parallel_workers => 0 }, "{$search}");
cancel_in('folds by newton without workers', '/* churn\_fit: fold 1%', { max_parallel_workers => 0 },
	"{$search, \"encoding\": \"bins\"}");
cancel_in('final fit by LIBLINEAR in a worker', '/* churn\_fit: final%', {}, '{"folds": 0, "memory": "4GB"}');
cancel_in('final fit by LIBLINEAR without', '/* churn\_fit: final%', { max_parallel_workers => 0 },
	'{"folds": 0, "memory": "4GB"}');
cancel_in('final fit by newton', '/* churn\_fit: final%', {}, '{"folds": 0, "encoding": "bins"}');
cancel_in('final fit by newton, in files', '/* churn\_fit: final%', { 'churn.memory' => '4MB' },
	'{"folds": 0, "encoding": "bins"}');
cancel_in('final linear fit by newton, in files', '/* churn\_fit: final%', { 'churn.memory' => '8MB' }, '{"folds": 0}');

# No worker, no shared memory: the same bits.
my $fit = '{"key": "id", "encoding": "auto"}';
my $usual = start_fit('small', {}, $fit);
$usual->{run}->finish;
like($usual->{out}, qr/^[0-9a-f]{32}$/, 'a fit in workers');
for my $settings ({ max_parallel_workers => 0 }, { max_parallel_maintenance_workers => 0 })
{
	my $alone = start_fit('small', $settings, $fit);

	$alone->{run}->finish;
	is($alone->{out}, $usual->{out}, join(' ', %$settings) . ': the same bits');
}
SKIP:
{
	my $postmaster = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()') && $node->{_pid};

	# Segments above the limit on files cannot be made.
	skip 'prlimit is not there', 2 if system("prlimit --pid $postmaster --fsize=65536:unlimited 2>/dev/null") != 0;
	my $alone = start_fit('small', { client_min_messages => 'debug1' }, $fit);

	$alone->{run}->finish;
	system("prlimit --pid $postmaster --fsize=unlimited:unlimited");
	is($alone->{out}, $usual->{out}, 'no shared memory: the same bits');
	like($alone->{err}, qr/churn_fit: no shared memory/, 'and it was so');
}

# A worker that is terminated
my $victim = start_fit('big', {}, "{$search}");
my $seconds = $node->safe_psql('postgres', "SELECT end_at('$victim->{name}', 'churn\\_fit: fold%', true)");
$victim->{run}->finish;
like($victim->{err}, qr/ERROR:  57P01: a parallel worker of churn_fit was terminated/, 'a terminated worker is named');
like($victim->{err}, qr/HINT:  Fit again/, 'with a hint');
cmp_ok($seconds eq '' ? 999 : $seconds, '<', $seconds_allowed, 'and soon');

# Cancel after cancel, nothing grows: in workers, without, and in files.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE resident (kb bigint);
CREATE FUNCTION resident_kb() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE result bigint;
BEGIN
    DELETE FROM resident;
    COPY resident FROM PROGRAM 'sed -n ''s/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p'' /proc/$PPID/status';
    SELECT kb INTO result FROM resident;
    RETURN result;
END $$;
SQL
my $half = int($rows / 4);
for my $case ([ 'in workers', '', "{$search}" ], [ 'without workers', 'SET max_parallel_workers = 0;', "{$search}" ],
	[ 'in files', "SET churn.memory = '4MB';", '{"folds": 0, "encoding": "bins"}' ])
{
	my ($what, $settings, $options) = @$case;
	my $fits = sub {
		join("\n", map { "SET statement_timeout = " . (250 + 40 * ($_ % 10)) .
			";\nSELECT length(churn_fit(t, 'churned', '$options')::text) FROM big t WHERE id <= $half;" } 1 .. $_[0]) .
		  "\nSET statement_timeout = 0;\nSELECT 'resident', resident_kb();\n";
	};
	# The heap's free top comes and goes: the least of four looks counts.
	my ($status, $out, $err) = $node->psql('postgres',
		$settings . join('', map { $fits->($_) } 2, 2, 2, 2, 12, 2, 2, 2, 2), on_error_stop => 0);
	my @kb = $out =~ /^resident\|(\d+)$/mg;
	my $canceled = () = $err =~ /statement timeout/g;

	is(scalar(@kb), 9, "$what: the session lives on");
	my $more = min(@kb[ 5 .. 8 ]) - min(@kb[ 0 .. 3 ]);
	cmp_ok($more, '<', 3000, "$what: memory is flat");
	diag("$what: $canceled cancels of 28, $more kB more after 20");
}
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'parallel worker'"), '0',
	'no worker is left');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_ls_tmpdir()'), '0', 'nor a temporary file');
$node->stop;
done_testing();
