# A private cluster in which CREATE EXTENSION churn works.
package ChurnNode;

use strict;
use warnings;
use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(churn_node churn_configure);

# churn_node($name, \%settings, %init): a started node with the extension in
# its database postgres; %init is handed to PostgreSQL::Test::Cluster's init.
sub churn_node
{
	my ($name, $settings, %init) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(%init);
	churn_configure($node, $settings);
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION churn');
	return $node;
}

# The settings that a node of ours needs, and those of %$settings
sub churn_configure
{
	my ($node, $settings) = @_;

	$node->append_conf('postgresql.conf', "extension_destdir = '$ENV{CHURN_STAGE}'");
	$node->append_conf('postgresql.conf', "$_ = '$settings->{$_}'")
	  for sort keys %{ $settings // {} };
	return;
}

1;
