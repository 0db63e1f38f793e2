# A cluster of one's own: the extension is there, and a backend killed with
# SIGKILL leaves a server that comes back.
use strict;
use warnings;
use ChurnNode;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = churn_node('killed', { restart_after_crash => 'on' });

is($node->safe_psql('postgres', "SELECT churn_auc(x, x > .5) FROM unnest('{.2,.7}'::float8[]) AS x"),
	'1', 'the extension works');

my ($out, $err) = ('', '');
my $session = IPC::Run::start(
	[ 'psql', '-qXAt', '-d', $node->connstr('postgres'), '-c', 'SELECT pg_sleep(60)' ],
	'>', \$out, '2>', \$err);
ok($node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'"),
	'a session works');
my $pid = $node->safe_psql('postgres',
	"SELECT pid FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'");
kill 'KILL', $pid;
$session->finish;
like($err, qr/server closed the connection|connection to server was lost/, 'its backend is gone');
ok($node->poll_query_until('postgres', 'SELECT true'), 'the server comes back');
$node->stop;
done_testing();
