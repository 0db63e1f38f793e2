#!/usr/bin/perl
# Run the SQL of documentation pages. Every ```sql block of a page is run in
# order in one session and one database of the page's own; a ```text block that
# follows a sql block at once must equal what psql printed. Prints TAP, one
# test a block. A block that begins with "-- not run" is skipped (it says why).
use strict;
use warnings;
use File::Temp qw(tempfile);

my $number = 0;
my $failures = 0;

sub report {
    my ($ok, $name, @why) = @_;
    $number++;
    $failures++ unless $ok;
    print $ok ? "ok" : "not ok", " $number - $name\n";
    print map { "# $_\n" } map { split /\n/ } @why;
}

# The fenced blocks of a page: [language, line number, text]
sub blocks {
    my ($file) = @_;
    open my $in, '<', $file or die "cannot open $file: $!";
    my (@found, $open);
    while (my $line = <$in>) {
        if ($line =~ /^```\s*(\w*)/) {
            if ($open) { push @found, $open; undef $open; }
            else { $open = [$1, $., '']; }
        }
        elsif ($open) { $open->[2] .= $line; }
        else { push @found, ['prose', $., $line] if $line =~ /\S/; }
    }
    return @found;
}

# Trailing blanks and blank lines at the end do not count.
sub tidy {
    my ($text) = @_;
    $text =~ s/[ \t]+$//mg;
    $text =~ s/\n+\z//;
    return $text;
}

for my $file (@ARGV) {
    my @page = blocks($file);
    my @sql = grep { $page[$_][0] eq 'sql' && $page[$_][2] !~ /^-- not run/ } 0 .. $#page;
    next unless @sql;
    (my $database = lc "doc_$file") =~ s/[^a-z0-9]+/_/g;
    system("createdb", $database) == 0 or die "createdb $database failed";
    system("psql", "-qX", "-d", $database, "-v", "ON_ERROR_STOP=1", "-c",
        "ALTER DATABASE $database SET client_min_messages = warning") == 0 or die;
    # psql prints a mark before each block, so that one session serves the page
    my ($out, $script) = tempfile("churn-doc-XXXXXX", TMPDIR => 1);
    print $out "\\set ON_ERROR_STOP on\n";
    print $out "CREATE EXTENSION IF NOT EXISTS churn;\n" unless $page[$sql[0]][2] =~ /CREATE EXTENSION/i;
    print $out "\\echo \@\@$_\n$page[$_][2]\n" for @sql;
    close $out;
    my $output = `psql -qX -d $database -f $script 2>&1`;
    unlink $script;
    my %printed;
    my $current;
    for my $line (split /^/, $output) {
        if ($line =~ /^\@\@(\d+)$/) { $current = $1; $printed{$current} = ''; }
        elsif (defined $current) { $printed{$current} .= $line; }
        else { $printed{$sql[0]} .= $line; }
    }
    for my $index (@sql) {
        my $name = "$file:$page[$index][1]";
        my $got = $printed{$index};
        if (!defined $got) { report(0, $name, "not reached"); next; }
        if ($got =~ /ERROR:|FATAL:|invalid command/ && !($page[$index][2] =~ /-- fails/)) {
            report(0, $name, $got);
            next;
        }
        my $next = $page[$index + 1];
        if ($next && $next->[0] eq 'text') {
            my ($want, $have) = (tidy($next->[2]), tidy($got));
            $have =~ s/^psql:\S+:\d+: //mg;
            report($want eq $have, $name, $want eq $have ? () : ("expected:", $want, "got:", $have));
        }
        else { report(1, $name); }
    }
    system("dropdb", $database);
}
print "1..$number\n";
exit($failures ? 1 : 0);
