-- The release: META.json says what the extension says, and an installation
-- is three files.
\set QUIET on
SELECT plan(7);
\set meta `cat META.json`
CREATE TABLE meta AS SELECT :'meta'::jsonb AS m;
\set control `sed -n "s/^default_version *= *'\(.*\)'/\1/p" churn.control`
SELECT is(m ->> 'version', :'control', 'META.json has the version of the control file') FROM meta;
SELECT is(m #>> '{provides,churn,version}', :'control', 'twice') FROM meta;
SELECT is(extversion, :'control', 'it is the version that was created') FROM pg_extension WHERE extname = 'churn';
SELECT is((SELECT array_agg(k) FROM unnest('{abstract,license,maintainer,meta-spec,name,provides,version}'::text[]) k WHERE NOT m ? k),
    NULL::text[], 'META.json has the keys that PGXN asks for') FROM meta;
SELECT matches(m ->> 'version', '^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$', 'a semantic version') FROM meta;
SELECT m #>> '{provides,churn,file}' AS file, m #>> '{provides,churn,docfile}' AS docfile FROM meta \gset
\setenv file :file
\setenv docfile :docfile
\set there `test -s "$file" && test -s "$docfile" && echo yes`
SELECT is(:'there'::text, 'yes', 'the files it names are there');

-- what is installed; the library was built for this test already
\set installed `dir=$(mktemp -d) && make -s -f Makefile install DESTDIR="$dir" >/dev/null 2>&1; find "$dir" -type f | sed 's|.*/||' | LC_ALL=C sort | tr '\n' ' '; rm -rf "$dir"`
SELECT is(:'installed'::text, format('churn--%s.sql churn.control churn.so ', m ->> 'version'), 'an installation is the control file, the script and the library')
    FROM meta;
SELECT * FROM finish();
