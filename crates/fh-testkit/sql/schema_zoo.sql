-- The schema zoo: one of everything a PostgreSQL database can hold that has ever made a backup or a restore go wrong.
--
-- A psql script for an empty UTF-8 database, run by a superuser of PostgreSQL 13 or later. It can be run again in another database of the
-- same cluster: roles are only created when they are missing. Parts that need a newer version or an extension that is not installed
-- are left out (\if below). The same rows come out every time: nothing here is random and nothing depends on the clock.

\set ON_ERROR_STOP on
set client_min_messages = warning;
set client_encoding = 'UTF8';
set standard_conforming_strings = on;
set datestyle = 'ISO, YMD';
set intervalstyle = 'postgres';
set timezone = 'UTC';
set search_path = '';

select current_setting('server_version_num')::int >= 140000 as ge14,
       current_setting('server_version_num')::int >= 150000 as ge15,
       current_setting('server_version_num')::int >= 170000 as ge17,
       current_setting('server_version_num')::int >= 180000 as ge18,
       exists (select from pg_available_extensions where name = 'pg_trgm') as have_trgm,
       exists (select from pg_available_extensions where name = 'citext') as have_citext,
       exists (select from pg_available_extensions where name = 'file_fdw') as have_file_fdw,
       exists (select from pg_available_extensions where name = 'postgres_fdw') as have_postgres_fdw,
       exists (select from pg_available_extensions where name = 'btree_gist') as have_btree_gist,
       (select count(*) > 10 from pg_collation where collprovider = 'i') as have_icu -- one, `unicode`, is there without ICU
\gset

---------------------------------------------------------------------------------------------------------------- roles
do $$
declare
    role text;
begin
    foreach role in array array['zoo_owner', 'zoo_reader', 'zoo_writer', 'Zoo "Odd" Role'] loop
        if not exists (select from pg_roles where rolname = role) then
            execute format('create role %I', role);
        end if;
    end loop;
    if not pg_has_role('zoo_writer', 'zoo_reader', 'member') then
        grant zoo_reader to zoo_writer;
    end if;
end
$$;

-------------------------------------------------------------------------------------------- schemas and extensions
create schema zoo;
create schema "Schema.With Dots & ""Quotes""";
create schema ext;
create schema owned authorization zoo_owner;
create schema empty_schema;
comment on schema zoo is 'It''s a "zoo":
two lines, a tab	and ünïcødé';

\if :have_trgm
create extension pg_trgm schema public;
comment on extension pg_trgm is 'trigrams, with a comment of our own';
\endif
\if :have_citext
create extension citext schema ext;
\endif
\if :have_btree_gist
create extension btree_gist schema ext;
\endif

---------------------------------------------------------------------------------------------------------------- types
create type zoo.mood as enum ('sad', 'ok', 'happy', 'it''s "odd"', 'ünï');
alter type zoo.mood add value 'between' before 'happy';
comment on type zoo.mood is 'an enum';
create type zoo.point3 as (x float8, gone text, y float8, label text);
alter type zoo.point3 drop attribute gone;
alter type zoo.point3 add attribute z float8;
create type zoo.floatrange as range (subtype = float8, subtype_diff = float8mi);
create domain zoo.positive as integer default 1 not null constraint is_positive check (value > 0);
create domain zoo.email as text collate "C" check (value ~ '^[^@]+@[^@]+$');
alter domain zoo.email add constraint not_too_long check (length(value) < 100) not valid;
create domain zoo.int_pair as integer[] check (array_length(value, 1) = 2);
comment on domain zoo.positive is 'a domain';
comment on constraint is_positive on domain zoo.positive is 'a domain constraint';
create type zoo.shell_only;

create collation zoo."C copy" from "C";
create collation zoo.posix (provider = libc, locale = 'POSIX');
\if :have_icu
create collation zoo.ignore_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create collation zoo.german_phonebook (provider = icu, locale = 'de-u-co-phonebk');
comment on collation zoo.german_phonebook is 'a collation';
\endif

------------------------------------------------------------------------------------------------------------ functions
create function zoo.add_tax(amount numeric, rate numeric default 0.19) returns numeric
    language sql immutable strict parallel safe cost 7 as 'select round(amount * (1 + rate), 2)';
create function zoo.quoting() returns text language plpgsql stable security definer set search_path = '' as $body$
begin
    -- $$ and $_$ inside, a \ and a '
    return $_$it's $$ here \ $_$;
end
$body$;
create function zoo.many(variadic items integer[], out total bigint, out count integer) language sql immutable as
    'select sum(i), count(*)::integer from unnest(items) as i';
create function zoo.rows_of(n integer) returns table (i integer, square bigint) language sql rows 5 as
    'select i, i::bigint * i from generate_series(1, n) as i';
create procedure zoo.do_nothing(inout i integer) language plpgsql as 'begin i := i + 1; end';
create function zoo."Odd ""function"" name"("odd argument" integer) returns integer language sql as 'select $1';
\if :ge14
create function zoo.standard_body(a integer, b integer) returns integer language sql immutable
    begin atomic
        select a + b;
    end;
\endif
comment on function zoo.add_tax(numeric, numeric) is 'a function; its comment says ''$$''';
revoke all on function zoo.quoting() from public;
grant execute on function zoo.quoting() to zoo_reader with grant option;

create function zoo.sum_sq_step(state numeric, value numeric) returns numeric language sql immutable as
    'select coalesce(state, 0) + coalesce(value * value, 0)';
create aggregate zoo.sum_of_squares(numeric) (sfunc = zoo.sum_sq_step, stype = numeric, initcond = '0');
comment on aggregate zoo.sum_of_squares(numeric) is 'an aggregate';

create function zoo.near(float8, float8) returns boolean language sql immutable as 'select abs($1 - $2) < 0.5';
create function zoo.not_near(float8, float8) returns boolean language sql immutable as 'select abs($1 - $2) >= 0.5';
create operator zoo.~=~ (function = zoo.near, leftarg = float8, rightarg = float8, commutator = operator(zoo.~=~), negator = operator(zoo.!~=~));
create operator zoo.!~=~ (function = zoo.not_near, leftarg = float8, rightarg = float8, commutator = operator(zoo.!~=~), negator = operator(zoo.~=~));
comment on operator zoo.~=~ (float8, float8) is 'an operator';

create function zoo.point3_to_text(zoo.point3) returns text language sql immutable as 'select format(''<%s,%s,%s>'', $1.x, $1.y, $1.z)';
create cast (zoo.point3 as text) with function zoo.point3_to_text(zoo.point3) as assignment;

create operator family zoo.backwards using btree;
create function zoo.backwards_cmp(integer, integer) returns integer language sql immutable strict as 'select pg_catalog.btint4cmp($2, $1)';
create operator class zoo.backwards_int for type integer using btree family zoo.backwards as
    operator 1 > , operator 2 >= , operator 3 = , operator 4 <= , operator 5 < , function 1 zoo.backwards_cmp(integer, integer);

create text search dictionary zoo.no_stop (template = pg_catalog.simple, accept = false);
create text search configuration zoo.english_like (copy = pg_catalog.english);
alter text search configuration zoo.english_like alter mapping for asciiword with zoo.no_stop, pg_catalog.english_stem;
comment on text search configuration zoo.english_like is 'a text search configuration';
create conversion zoo.latin1_in for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;
create access method zoo_heap type table handler heap_tableam_handler;

------------------------------------------------------------------------------------------------------- values of every kind
create table zoo.kinds (
    id integer primary key,
    b boolean, i2 smallint, i4 integer, i8 bigint,
    n numeric, n2 numeric(20, 4), f4 real, f8 double precision, m money,
    t text, v varchar(20), c char(8), ch "char", nm name,
    by bytea, bits bit(5), vbits bit varying(20),
    d date, tm time, tmtz timetz, ts timestamp, tstz timestamptz(3), iv interval,
    u uuid, j json, jb jsonb, jp jsonpath,
    ip inet, net cidr, mac macaddr, mac8 macaddr8,
    pt point, ln line, seg lseg, bx box, pth path, pg polygon, cir circle,
    tsv tsvector, tsq tsquery, lsn pg_lsn, o oid, rc regclass, rt regtype,
    ia integer[], ta text[][], md zoo.mood, mda zoo.mood[], p3 zoo.point3, p3a zoo.point3[],
    ir int4range, nr numrange, tr tstzrange, dr daterange, fr zoo.floatrange, ra int8range[],
    pos zoo.positive, em zoo.email, pair zoo.int_pair
);
insert into zoo.kinds values
    (1, true, 32767, 2147483647, 9223372036854775807, 1e131071, 1234567890123456.7891, 3.4028235e38, 1.7976931348623157e308, 12.34,
     E'tab\there, newline\nhere, return\rhere, backslash \\ and \\N, quote '' ", bell \x07, vt \x0b, ünïcødé 表 🦓', 'varchar', 'pad', 'x', 'a name',
     '\x00ff00ff0a0d5c27', B'10101', B'', '4713-01-01 BC', '24:00:00', '23:59:59.999999+15:59', '4713-01-01 00:00:00 BC',
     '294276-12-31 23:59:59.999+00', '-178000000 years', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
     E'{"a" :  1,\n "a": 2}', '{"b": [1, 2.50, "\u00fc\\\"\n"], "a": {"z": null}}', '$.a[*] ? (@ > 1)',
     '::1/128', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05',
     '(1.5,-2.5)', '{1,2,3}', '[(0,0),(1,1)]', '(2,2),(0,0)', '[(0,0),(1,1),(2,0)]', '((0,0),(1,1),(2,0))', '<(1,1),2.5>',
     'a:1A fat:2B,4C cat:5D', 'fat & (rat | cat:*) & !dog', '16/B374D848', 4294967295, 'pg_catalog.pg_class', 'integer[]',
     '[2:4]={1,NULL,3}', '{{a,"b,c"},{"d\"e","NULL"}}', 'it''s "odd"', '{sad,NULL,ünï}', '(1.5,-0,"la,\"bel",3)', '{"(1,2,x,3)",NULL}',
     '[1,10)', '(1.5,)', '["2020-01-01 00:00+00",infinity)', 'empty', '[-1e300,1e300]', '{"[1,5)",empty}',
     1, 'a@b', '{1,2}'),
    (2, false, -32768, -2147483648, -9223372036854775808, 'NaN', -0.0001, 'NaN', 'NaN', -0.01,
     '', '', '', '', '', '', B'00000', B'1', 'infinity', '00:00', '00:00-15:59', 'infinity', 'infinity', '1 mon -1 day +01:02:03.000004',
     '00000000-0000-0000-0000-000000000000', 'null', 'null', 'strict $', '0.0.0.0/0', '::/0', '00:00:00:00:00:00', '00:00:00:00:00:00:00:00',
     '(0,0)', '{0,-1,0}', '[(0,0),(0,0)]', '(0,0),(0,0)', '((0,0),(1,1))', '((0,0))', '<(0,0),0>', '', '', '0/0', 0, '-', 'text',
     '{}', '{}', 'sad', '{}', '(,,,)', '{}', 'empty', 'empty', 'empty', '(,)', 'empty', '{}', 2147483647, 'ü@ö', '{-1,-1}'),
    (3, null, 0, 0, 0, 0.000000000000000000000000000001, 0, '-Infinity', '-Infinity', 0,
     '\.', E'\\.', 'NULL', '\', '\N', '\x5c2e0a', B'11111', B'11111111111111111111', '-infinity', '12:34:56.000001', '12:00+00',
     '-infinity', '-infinity', '00:00:00', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '""', '""', '$',
     '255.255.255.255', '2001:db8::/32', 'ff:ff:ff:ff:ff:ff', 'ff:ff:ff:ff:ff:ff:ff:ff',
     '(NaN,Infinity)', '{1,0,0}', '[(1,2),(3,4)]', '(Infinity,Infinity),(-Infinity,-Infinity)', '((1,1))', '((1,1),(2,2))', '<(1,1),Infinity>',
     '''it''''s'' ''a b''', '''a b'' <-> c', 'FFFFFFFF/FFFFFFFF', 1, 'zoo.kinds', 'zoo.mood',
     '[0:1][-1:0]={{1,2},{3,4}}', '{{{a}}}', 'happy', '{between}', null, null,
     '(,)', '[0,0]', '[-infinity,"0044-03-15 12:00:00+00 BC"]', '[4713-01-01 BC,5874897-12-31)', '[NaN,NaN]', null, 1, 'x@y', '{0,0}'),
    (4, null, null, null, null, null, null, '-0', '4.9406564584124654e-324', null, null, null, null, null, null, null, null, null,
     '5874897-12-31', null, null, '294276-12-31 23:59:59.999999', '0001-01-01 00:00:00 BC', '178000000 years 11 mons 30 days', null, null, null, null,
     null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
     null, null, null, null, null, null, null, null, null, null, null, null, 1, null, null),
    (5, null, null, null, null, 123456789012345678901234567890.123456789012345678901234567890, null, 0.1, 0.1, null, E'\b\f\n\r\t\v', null, null, null, null,
     decode('00ff', 'hex') || convert_to('é', 'UTF8'), null, null, '0044-03-15 BC', null, null, '1999-12-31 23:59:60', '2038-01-19 03:14:08+00', '1.5 hours',
     null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
     null, null, null, null, null, null, null, null, null, null, null, null, 1, null, null);
\if :ge14
alter table zoo.kinds add column inf numeric, add column mr int4multirange, add column mt tstzmultirange;
update zoo.kinds set inf = 'Infinity', mr = '{[1,3),[5,9)}', mt = '{}' where id = 1;
update zoo.kinds set inf = '-Infinity', mr = '{}', mt = '{["2020-01-01 00:00+00",),(,"0044-03-15 00:00+00 BC")}' where id = 2;
\endif
\if :ge17
update zoo.kinds set iv = 'infinity' where id = 3;
\endif
comment on table zoo.kinds is 'every built-in kind of value';
comment on column zoo.kinds.by is E'NULs and \\xff';
do $$
begin
    create table zoo.xml_docs (x xml);
    insert into zoo.xml_docs values ('<a b="c">&amp;</a>'), ('text only'), (null);
exception when feature_not_supported then
    null; -- this server was built without libxml
end
$$;

----------------------------------------------------------------------------------------------------------- odd names
create table "Schema.With Dots & ""Quotes"""."Table ""with"" spaces" (
    "select" integer primary key, "UPPER" text, "ünïcødé 表" text, "back\slash" text, "dot.ted" text, "dollar$" text,
    "single'quote" text, " leading and trailing " text, "percent%s" text, "semi;colon--" text, "new
line" text, "tab	tab" text, "$1" text, "a,b" text, "(paren)" text
);
insert into "Schema.With Dots & ""Quotes"""."Table ""with"" spaces" values
    (1, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n'), (2, '', null, '', null, '', null, '', null, '', null, '', null, '', null);
create index "Index.of ""it""" on "Schema.With Dots & ""Quotes"""."Table ""with"" spaces" ("ünïcødé 表", "back\slash");
create table zoo."select" ("table" integer, "user" text);
create table zoo."new
line" (i integer);
create table zoo."back\slash and 'quote'" (i integer);
create table zoo."dots.in.name" (i integer);
create table zoo."dollar$$tag$" (i integer);
create table zoo."-- drop table" (i integer);
create table zoo."ABCdef_ünï_63_bytes_long_name_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" (i integer);
create table zoo.abcdef as select 1 as i;
create table zoo."ABCDEF" as select 2 as i;
insert into zoo."select" values (1, 'user'), (2, null);
insert into zoo."new
line" values (1), (2);
insert into zoo."back\slash and 'quote'" values (3);
insert into zoo."dots.in.name" values (4);
insert into zoo."dollar$$tag$" values (5);
insert into zoo."-- drop table" values (6);
insert into zoo."ABCdef_ünï_63_bytes_long_name_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" values (7);
comment on table zoo."new
line" is 'a name of two lines';
comment on column zoo."select"."user" is 'a reserved word';
create sequence zoo."odd Sequence.""name""" start 5;
select pg_catalog.setval('zoo."odd Sequence.""name"""', 55);

-------------------------------------------------------------------------------------------- empty, column-less and strange tables
create table zoo.empty_table (i integer, t text);
create table zoo.no_columns ();
create table zoo.no_columns_with_rows ();
insert into zoo.no_columns_with_rows default values;
insert into zoo.no_columns_with_rows default values;
insert into zoo.no_columns_with_rows default values;
create table zoo.one_empty_string (t text);
insert into zoo.one_empty_string values (''), (''), (null);
create table zoo.all_columns_dropped (a integer, b text);
insert into zoo.all_columns_dropped values (1, 'x'), (2, 'y');
alter table zoo.all_columns_dropped drop column a, drop column b;
create table zoo.dropped_columns (a integer, b text, c integer, d text);
insert into zoo.dropped_columns values (1, 'b1', 11, 'd1'), (2, 'b2', 22, 'd2');
alter table zoo.dropped_columns drop column b, drop column c;
alter table zoo.dropped_columns add column late integer default 42 not null, add column "b" timestamptz default '2020-02-29 12:00:00+00';
insert into zoo.dropped_columns values (3, 'd3', 7, null);
create unlogged table zoo.unlogged_table (i integer primary key, t text);
insert into zoo.unlogged_table select i, 'row ' || i from generate_series(1, 100) as i;
create table zoo.other_access_method (i integer, t text) using zoo_heap;
insert into zoo.other_access_method select i, md5(i::text) from generate_series(1, 1000) as i;
create table zoo.of_type of zoo.point3 (x primary key);
insert into zoo.of_type values (1, 2, 'three', 4);
create table zoo.duplicates (i integer, t text);
insert into zoo.duplicates select 1, 'same' from generate_series(1, 50);
create table zoo.lines (id integer, t text);
insert into zoo.lines values (1, '\.'), (2, E'\\.\n\\.'), (3, E'\n'), (4, E'\r\n'), (5, E'\t'), (6, '\N'), (7, null), (8, '\\'), (9, ' '), (10, E'a\\'),
    (11, 'copy zoo.lines from stdin;'), (12, ''), (13, E'\u2028\u00a0'), (14, repeat(E'\\', 1001)), (15, repeat(E'\t\n', 500));

---------------------------------------------------------------------------------------------- identity, generated, defaults, sequences
create table zoo.identities (
    always_id integer generated always as identity (start 1000 increment 10),
    default_id bigint generated by default as identity (start -5 increment -5 minvalue -1000 maxvalue -1 cycle),
    net numeric not null check (net >= 0), rate numeric not null default 0.2,
    gross numeric generated always as (net * (1 + rate)) stored,
    label text generated always as (upper('n' || net::text)) stored,
    primary key (always_id)
);
insert into zoo.identities (net) select i from generate_series(1, 10) as i;
insert into zoo.identities (always_id, default_id, net) overriding system value values (5, 7, 99.99);
delete from zoo.identities where always_id = 1030;
\if :ge18
alter table zoo.identities add column virtual_gross numeric generated always as (net * 2) virtual;
\endif
create table zoo.serials (id serial primary key, small smallserial, big bigserial, at text default zoo.quoting(), price numeric default zoo.add_tax(100));
insert into zoo.serials (big) select i from generate_series(1, 25) as i;
create sequence zoo.moved;
select pg_catalog.setval('zoo.moved', 123456789);
create sequence zoo.moved_not_called start 10;
select pg_catalog.setval('zoo.moved_not_called', 77, false);
create sequence zoo.descending increment -7 minvalue -700 maxvalue 700 start 70 cache 20 cycle;
select pg_catalog.nextval('zoo.descending');
create sequence zoo.at_the_end maxvalue 3;
select pg_catalog.setval('zoo.at_the_end', 3);
create sequence zoo.untouched as smallint start 9;
create sequence zoo.owned_later;
alter table zoo.serials add column other integer default nextval('zoo.owned_later');
alter sequence zoo.owned_later owned by zoo.serials.other;
comment on sequence zoo.moved is 'a sequence';

------------------------------------------------------------------------------------------------------------ partitions
create table zoo.measurements (id bigint generated always as identity, at date not null, site integer not null, value numeric, primary key (id, at, site)) partition by range (at);
create table zoo.measurements_2023 partition of zoo.measurements for values from ('2023-01-01') to ('2024-01-01');
create table zoo.measurements_2024 partition of zoo.measurements for values from ('2024-01-01') to ('2025-01-01') partition by list (site);
create table zoo.measurements_2024_low partition of zoo.measurements_2024 for values in (1, 2, 3);
create table zoo.measurements_2024_other partition of zoo.measurements_2024 default partition by hash (id);
create table zoo.measurements_2024_other_0 partition of zoo.measurements_2024_other for values with (modulus 2, remainder 0);
create table zoo.measurements_2024_other_1 partition of zoo.measurements_2024_other for values with (modulus 2, remainder 1);
create table zoo.measurements_default partition of zoo.measurements default;
-- Attached with another order of columns and a dropped one.
create table zoo.measurements_2025 (value numeric, gone text, site integer not null, at date not null, id bigint not null);
alter table zoo.measurements_2025 drop column gone;
alter table zoo.measurements attach partition zoo.measurements_2025 for values from ('2025-01-01') to ('2026-01-01');
insert into zoo.measurements (at, site, value)
    select date '2022-11-01' + i, i % 7, i / 10.0 from generate_series(1, 1400) as i;
create index measurements_value on zoo.measurements (value) where value > 10;
create index measurements_site_only on only zoo.measurements_2024 (site);
create table zoo.by_list (region text, amount integer, unique (region, amount)) partition by list (region);
create table zoo.by_list_eu partition of zoo.by_list for values in ('de', 'fr', null);
create table zoo.by_list_default partition of zoo.by_list default;
insert into zoo.by_list values ('de', 1), ('fr', 2), (null, 3), ('jp', 4), ('it''s', 5);
create table zoo.by_hash (k text primary key, v integer) partition by hash (k);
create table zoo.by_hash_0 partition of zoo.by_hash for values with (modulus 3, remainder 0);
create table zoo.by_hash_1 partition of zoo.by_hash for values with (modulus 3, remainder 1);
create table zoo.by_hash_2 partition of zoo.by_hash for values with (modulus 3, remainder 2);
insert into zoo.by_hash select md5(i::text), i from generate_series(1, 300) as i;
create table zoo.by_expression (at timestamptz, v integer) partition by range (date_trunc('day', at at time zone 'UTC'));
create table zoo.by_expression_all partition of zoo.by_expression for values from (minvalue) to (maxvalue);
insert into zoo.by_expression values ('2024-02-29 23:59:59.999999+00', 1), ('infinity', 2);
create table zoo.partitioned_without_partitions (i integer) partition by range (i);
-- A partition key of an enum hashes by the label's OID, so its rows belong elsewhere after a restore.
create table zoo.by_enum_hash (mood zoo.mood, n integer) partition by hash (mood);
create table zoo.by_enum_hash_0 partition of zoo.by_enum_hash for values with (modulus 2, remainder 0);
create table zoo.by_enum_hash_1 partition of zoo.by_enum_hash for values with (modulus 2, remainder 1);
insert into zoo.by_enum_hash select mood, n from unnest(enum_range(null::zoo.mood)) as mood, generate_series(1, 3) as n;

----------------------------------------------------------------------------------------------------------- inheritance
create table zoo.animals (id integer primary key, name text not null, constraint named check (name <> ''));
create table zoo.birds (wingspan numeric default 1) inherits (zoo.animals);
create table zoo.swimmers (depth numeric, name text);
create table zoo.penguins (name text default 'Pingu', primary key (id)) inherits (zoo.birds, zoo.swimmers);
insert into zoo.animals values (1, 'amoeba');
insert into zoo.birds values (2, 'wren', 0.15);
insert into zoo.swimmers values (5, 'herring');
insert into zoo.penguins (id, wingspan, depth) values (3, 0.5, 30), (4, 0.6, 500);
alter table zoo.animals add constraint local_only check (id < 100) no inherit;

----------------------------------------------------------------------------------------------------- keys and constraints
create table zoo.departments (id integer primary key, name text not null unique, head integer);
create table zoo.employees (id integer primary key, department integer not null references zoo.departments on delete cascade, boss integer references zoo.employees, name text);
alter table zoo.departments add constraint departments_head foreign key (head) references zoo.employees (id) on delete set null deferrable initially deferred;
begin;
insert into zoo.departments values (1, 'board', 10), (2, 'field', 12);
insert into zoo.employees values (12, 2, 11, 'Cy'), (11, 1, 10, 'Bo'), (10, 1, 10, 'Al'), (13, 2, 12, null);
commit;
create table zoo.chicken (id integer primary key, egg integer not null);
create table zoo.egg (id integer primary key, chicken integer not null references zoo.chicken deferrable initially immediate);
alter table zoo.chicken add foreign key (egg) references zoo.egg deferrable initially deferred;
begin;
insert into zoo.chicken values (1, 1);
insert into zoo.egg values (1, 1);
commit;
create table zoo.measurement_notes (id bigint, at date, site integer, note text, foreign key (id, at, site) references zoo.measurements match full on update cascade);
insert into zoo.measurement_notes select id, at, site, 'note ' || id from zoo.measurements where id % 100 = 0;
create table zoo.constraints (
    id integer, code text, during tsrange, room integer,
    constraint constraints_pk primary key (id) include (code) with (fillfactor = 70),
    constraint constraints_code unique (code) deferrable initially deferred,
    constraint no_overlap exclude using gist (during with &&) where (during is not null),
    constraint room_positive check (room > 0)
);
insert into zoo.constraints values (1, 'a', '[2024-01-01,2024-01-02)', 1), (2, 'b', '[2024-01-02,2024-01-03)', 2), (3, null, null, null);
comment on constraint no_overlap on zoo.constraints is 'an exclusion constraint';
-- Rows that their own constraints would refuse: added NOT VALID, they must be restored before the constraints.
create table zoo.not_valid (id integer, parent integer);
insert into zoo.not_valid values (-1, 999), (1, 10);
alter table zoo.not_valid add constraint not_negative check (id >= 0) not valid;
alter table zoo.not_valid add constraint parent_exists foreign key (parent) references zoo.employees not valid;
\if :ge15
create table zoo.nulls_not_distinct (a integer, b integer, unique nulls not distinct (a, b));
insert into zoo.nulls_not_distinct values (1, null), (null, null);
\endif
\if :have_btree_gist
create table zoo.bookings (room integer, during int4range, exclude using gist (room ext.gist_int4_ops with operator(pg_catalog.=), during with &&));
insert into zoo.bookings values (1, '[1,5)'), (2, '[1,5)'), (1, '[5,9)');
\endif

------------------------------------------------------------------------------------------------------- indexes and statistics
create table zoo.indexed (id integer primary key, name text, doc jsonb, words tsvector, area box, n integer, at timestamptz, ip inet);
insert into zoo.indexed
    select i, 'name ' || md5(i::text), jsonb_build_object('i', i, 'tags', jsonb_build_array('a' || i % 5, 'b')), to_tsvector('pg_catalog.english', 'word' || i % 9),
           box(point(i, i), point(i + 1, i + 1)), i % 50, timestamptz '2024-01-01 00:00+00' + i * interval '1 hour', inet '10.0.0.0' + i
    from generate_series(1, 2000) as i;
create index indexed_expression on zoo.indexed (lower(name) text_pattern_ops, (n + 1) desc nulls last);
create unique index indexed_partial on zoo.indexed (name) include (n) where n < 25;
create index indexed_json on zoo.indexed using gin (doc jsonb_path_ops);
create index indexed_words on zoo.indexed using gin (words) with (fastupdate = off);
create index indexed_area on zoo.indexed using gist (area);
create index indexed_hash on zoo.indexed using hash (n);
create index indexed_brin on zoo.indexed using brin (at) with (pages_per_range = 4);
create index indexed_spgist on zoo.indexed using spgist (ip);
create index indexed_collated on zoo.indexed (name collate zoo."C copy");
create index indexed_own_class on zoo.indexed (n zoo.backwards_int);
alter index zoo.indexed_expression alter column 2 set statistics 500;
alter table zoo.indexed cluster on indexed_pkey;
comment on index zoo.indexed_partial is 'an index';
\if :have_trgm
create index indexed_trgm on zoo.indexed using gin (name public.gin_trgm_ops);
\endif
create statistics zoo.indexed_stats (ndistinct, dependencies, mcv) on n, name from zoo.indexed;
alter statistics zoo.indexed_stats set statistics 200;
\if :ge14
create statistics zoo.indexed_expression_stats on (n % 10), (lower(name)) from zoo.indexed;
\endif
comment on statistics zoo.indexed_stats is 'extended statistics';
create table zoo.collated (a text collate "C", b text collate zoo."C copy");
insert into zoo.collated values ('b', 'a'), ('A', 'B'), ('ä', 'Z');
create index collated_a on zoo.collated (a, b collate "POSIX");
\if :have_icu
create table zoo.collated_icu (name text collate zoo.ignore_case primary key, phone text collate zoo.german_phonebook);
insert into zoo.collated_icu values ('Straße', 'ä'), ('zebra', 'z');
\endif
\if :have_citext
create table zoo.case_blind (login ext.citext primary key);
insert into zoo.case_blind values ('Ada'), ('bob');
\endif

-------------------------------------------------------------------------------------------------------- storage and table options
create table zoo.options (id integer primary key, plain text, main text, outside text, stretched text)
    with (fillfactor = 40, autovacuum_enabled = false, toast.autovacuum_enabled = false, parallel_workers = 3);
alter table zoo.options alter column plain set storage plain, alter column main set storage main, alter column outside set storage external,
    alter column id set statistics 1000, alter column main set (n_distinct = -0.5);
\if :ge14
alter table zoo.options alter column stretched set compression pglz;
\endif
insert into zoo.options select i, repeat('p', 10), repeat('m', 3000), repeat('o', 5000), repeat('s', 100000) from generate_series(1, 3) as i;
-- One megabyte per value: hexadecimal digests hardly compress, so they go to the TOAST table in many pieces.
create table zoo.toasted (id integer, body text, raw bytea);
alter table zoo.toasted alter column raw set storage external;
insert into zoo.toasted
    select n, string_agg(md5(n || ':' || i), '' order by i), decode(string_agg(md5(i || '/' || n), '' order by i), 'hex')
    from generate_series(1, 3) as n, generate_series(1, 32768) as i group by n;
create table zoo.replica_full (i integer, t text);
alter table zoo.replica_full replica identity full;
create table zoo.replica_nothing (i integer);
alter table zoo.replica_nothing replica identity nothing;
create table zoo.replica_index (i integer not null);
create unique index replica_index_i on zoo.replica_index (i);
alter table zoo.replica_index replica identity using index replica_index_i;

---------------------------------------------------------------------------------------- many blocks, with holes
create table zoo.big (id integer, grp integer, payload text);
insert into zoo.big select i, i % 97, md5(i::text) || repeat('x', i % 60) from generate_series(1, 120000) as i;
delete from zoo.big where id % 7 = 0;
delete from zoo.big where id between 30000 and 60000; -- whole blocks without a row
update zoo.big set payload = 'moved ' || payload where id % 11 = 0; -- to the end of the file
alter table zoo.big add primary key (id);
create table zoo.emptied (i integer, t text);
insert into zoo.emptied select i, md5(i::text) from generate_series(1, 5000) as i;
delete from zoo.emptied;

------------------------------------------------------------------------------------------- views, materialized views, triggers, rules
create view zoo.adult_employees as select id, name, department from zoo.employees where id > 10 with local check option;
create view zoo.employee_names with (security_barrier = true) as select name from zoo.adult_employees where name is not null;
create view zoo."View on ""views""" ("odd column", n) as select upper(name), count(*) from zoo.employee_names group by 1;
create recursive view zoo.chain_of_command (id, level) as
    select id, 0 from zoo.employees where boss = id union all select e.id, level + 1 from zoo.employees e join chain_of_command c on e.boss = c.id where e.id <> e.boss;
-- Grouping by a primary key makes the view depend on that constraint, so a dump has to take it apart.
create view zoo.depends_on_key as select d.id, d.name, count(e.id) as staff from zoo.departments d left join zoo.employees e on e.department = d.id group by d.id;
alter view zoo.adult_employees alter column name set default 'nobody';
comment on view zoo.adult_employees is 'a view';
comment on column zoo.adult_employees.name is 'a column of a view';
create materialized view zoo.totals as select site, count(*) as n, sum(value) as total from zoo.measurements group by site with data;
create unique index totals_site on zoo.totals (site);
create materialized view zoo.a_totals_of_totals as select sum(n) as n, sum(total) as total from zoo.totals;
create materialized view zoo.never_filled as select * from zoo.totals with no data;
create view zoo.view_on_matview as select n from zoo.a_totals_of_totals;
create function zoo.total_n() returns bigint language sql stable as 'select n::bigint from zoo.a_totals_of_totals';
create materialized view zoo.through_a_function as select zoo.total_n() as n;
comment on materialized view zoo.totals is 'a materialized view';
alter materialized view zoo.totals owner to zoo_owner;
grant select on zoo.measurements to zoo_owner;
grant usage on schema zoo to zoo_owner;

create table zoo.audited (id integer primary key, t text, changed integer not null default 0);
create table zoo.audit_log (id integer generated always as identity, what text);
create function zoo.count_change() returns trigger language plpgsql as $$
begin
    new.changed := old.changed + 1;
    return new;
end
$$;
create function zoo.log_statement() returns trigger language plpgsql as $$
begin
    insert into zoo.audit_log (what) select tg_op || ' ' || count(*) from changed_rows;
    return null;
end
$$;
create function zoo.refuse() returns trigger language plpgsql as $$
begin
    raise exception 'a restore must not fire triggers (%)', tg_argv[0];
end
$$;
create function zoo.insert_into_view() returns trigger language plpgsql as $$
begin
    insert into zoo.audited (id, t) values (new.id, new.t);
    return new;
end
$$;
create trigger count_change before update of t on zoo.audited for each row when (old.t is distinct from new.t) execute function zoo.count_change();
create trigger log_inserts after insert on zoo.audited referencing new table as changed_rows for each statement execute function zoo.log_statement();
insert into zoo.audited select i, 't' || i from generate_series(1, 20) as i;
update zoo.audited set t = t || '!' where id <= 5;
create trigger refuse_inserts before insert on zoo.audited for each row execute function zoo.refuse('it''s an argument', '\x');
create trigger refuse_always before insert on zoo.audit_log for each row execute function zoo.refuse();
alter table zoo.audit_log enable replica trigger refuse_always;
create trigger disabled_one before delete on zoo.audited for each row execute function zoo.refuse('disabled');
alter table zoo.audited disable trigger disabled_one;
create constraint trigger checked_at_commit after update on zoo.audited deferrable initially deferred for each row execute function zoo.refuse('commit');
comment on trigger count_change on zoo.audited is 'a trigger';
create view zoo.audited_view as select id, t from zoo.audited;
create trigger insert_into_view instead of insert on zoo.audited_view for each row execute function zoo.insert_into_view();
create table zoo.ruled (i integer, t text);
insert into zoo.ruled values (1, 'before the rules');
create rule also_note as on insert to zoo.ruled do also insert into zoo.empty_table values (new.i, new.t);
create rule keep_all as on delete to zoo.ruled do instead nothing;
create rule switched_off as on update to zoo.ruled do instead nothing;
alter table zoo.ruled disable rule switched_off;
comment on rule keep_all on zoo.ruled is 'a rule';

------------------------------------------------------------------------------------------------------- row level security
create table zoo.secrets (id integer primary key, owner name not null, secret text);
insert into zoo.secrets values (1, 'zoo_reader', 'a'), (2, 'zoo_writer', 'b'), (3, 'nobody', 'c');
alter table zoo.secrets owner to zoo_owner;
alter table zoo.secrets enable row level security;
alter table zoo.secrets force row level security;
create policy own_rows on zoo.secrets as permissive for select to zoo_reader, zoo_writer using (owner = current_user);
create policy no_lies on zoo.secrets as restrictive for insert with check (secret <> '' and owner = current_user);
comment on policy own_rows on zoo.secrets is 'a policy';
create table zoo.policies_off (i integer);
create policy unused on zoo.policies_off using (i > 0);

---------------------------------------------------------------------------------------------------- owners, grants, default privileges
create table owned.t (id integer generated by default as identity, a text, b text);
alter table owned.t owner to zoo_owner;
insert into owned.t (a, b) values ('a', 'b');
alter function zoo.add_tax(numeric, numeric) owner to zoo_owner;
alter type zoo.mood owner to zoo_owner;
alter sequence zoo.moved owner to zoo_writer;
alter view zoo.employee_names owner to "Zoo ""Odd"" Role";
grant usage on schema zoo to zoo_reader, "Zoo ""Odd"" Role";
grant all on schema owned to zoo_writer with grant option;
revoke usage on schema owned from zoo_writer;
grant select on all tables in schema owned to zoo_reader;
grant select (id, t), update (t) on zoo.audited to zoo_reader;
grant insert, delete on zoo.audited to zoo_writer with grant option;
set role zoo_writer;
grant insert on zoo.audited to "Zoo ""Odd"" Role";
reset role;
grant usage on type zoo.mood to zoo_reader;
revoke usage on type zoo.point3 from public;
grant usage, select on sequence zoo.moved_not_called to zoo_writer;
grant select on zoo.kinds to public;
revoke all on zoo.identities from current_user;
alter default privileges for role zoo_owner in schema zoo grant select on tables to zoo_reader;
alter default privileges for role zoo_owner grant execute on functions to zoo_writer;
alter default privileges for role zoo_owner revoke execute on functions from public;
alter default privileges in schema owned grant usage on sequences to public;

-------------------------------------------------------------------------------------------------------- foreign data, never connected
create foreign data wrapper zoo_nothing options (a 'b');
create server zoo_nowhere type 'none' version '1.0' foreign data wrapper zoo_nothing options ("odd option" 'it''s');
create user mapping for public server zoo_nowhere options (name 'value');
comment on server zoo_nowhere is 'a foreign server';
\if :have_postgres_fdw
create extension postgres_fdw schema ext;
create server zoo_remote foreign data wrapper postgres_fdw options (host '192.0.2.1', dbname 'nowhere', connect_timeout '1');
create user mapping for zoo_reader server zoo_remote options (user 'u', password 'not a secret');
create foreign table zoo.remote_table (i integer options (column_name 'other'), t text not null default 'x') server zoo_remote options (table_name 'absent');
grant select on zoo.remote_table to zoo_reader;
\endif
\if :have_file_fdw
create extension file_fdw schema public;
create server zoo_files foreign data wrapper file_fdw;
create foreign table zoo.absent_file (line text) server zoo_files options (filename '/nonexistent/zoo.csv', format 'csv');
comment on foreign table zoo.absent_file is 'a foreign table';
\endif

-------------------------------------------------------------------------------------------------------------- large objects
do $$
begin
    perform pg_catalog.lo_create(900001); -- empty
    perform pg_catalog.lo_from_bytea(900002, '\x00');
    perform pg_catalog.lo_from_bytea(900003, (select decode(string_agg(md5('lo' || i), '' order by i), 'hex') from generate_series(1, 327680) as i)); -- 5 MiB
    perform pg_catalog.lo_create(900004);
    perform pg_catalog.lo_put(900004, 3000000, '\xdeadbeef'); -- a hole of 3 MB before it
    perform pg_catalog.lo_from_bytea(900005, convert_to(E'text\nwith \\. and ünï', 'UTF8'));
    perform pg_catalog.lo_from_bytea(900006, decode(repeat('00ff', 1024), 'hex')); -- exactly one page
    perform pg_catalog.lo_from_bytea(4294967295, '\x01'); -- the greatest OID
end
$$;
comment on large object 900003 is 'It''s a large object,
of two lines';
alter large object 900005 owner to zoo_owner;
grant select on large object 900005 to zoo_reader;
grant update on large object 900002 to zoo_writer with grant option;
create table zoo.attachments (id integer primary key, content oid);
insert into zoo.attachments values (1, 900003), (2, 900004);

------------------------------------------------------------------------------------------------------------- publications
set client_min_messages = error; -- wal_level is not logical, which only subscribers mind
create publication zoo_all_inserts for table zoo.audited, zoo.kinds with (publish = 'insert');
create publication zoo_partitions for table zoo.measurements with (publish_via_partition_root = true);
create publication zoo_empty;
comment on publication zoo_empty is 'a publication';
\if :ge15
create publication zoo_filtered for table zoo.employees (id, name) where (id > 10);
create publication zoo_schema for tables in schema owned with (publish = 'insert');
\endif
set client_min_messages = warning;

------------------------------------------------------------------------------------- what belongs to the database as a whole
create function zoo.note_ddl() returns event_trigger language plpgsql as 'begin null; end';
create event trigger zoo_ddl on ddl_command_end when tag in ('CREATE TABLE', 'DROP TABLE') execute function zoo.note_ddl();
create event trigger zoo_ddl_off on sql_drop execute function zoo.note_ddl();
alter event trigger zoo_ddl_off disable;
comment on event trigger zoo_ddl is 'an event trigger';
-- Settings that make a careless dump write other values than it read.
do $$
declare
    db text := quote_ident(current_database());
begin
    execute format('alter database %s set datestyle = %L', db, 'SQL, DMY');
    execute format('alter database %s set intervalstyle = %L', db, 'sql_standard');
    execute format('alter database %s set bytea_output = %L', db, 'escape');
    execute format('alter database %s set extra_float_digits = %L', db, '0');
    execute format('alter database %s set timezone = %L', db, 'Asia/Kolkata');
    execute format('alter database %s set search_path = zoo, "Schema.With Dots & ""Quotes""", public', db);
    execute format('alter role zoo_reader in database %s set work_mem = %L', db, '7MB');
    execute format('alter role "Zoo ""Odd"" Role" in database %s set statement_timeout = %L', db, '5min');
    execute format('comment on database %s is %L', db, E'the zoo''s\ndatabase');
    execute format('revoke temporary on database %s from public', db);
    execute format('grant connect, create on database %s to zoo_owner', db);
end
$$;
