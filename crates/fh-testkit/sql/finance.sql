-- A finance application's database with as many rows as asked for: users, portfolios, transactions, prices, documents, events.
--
-- A psql script for an empty database: psql -v rows=1000000 -f finance.sql. The generator is generate_series and hash functions,
-- so the same number of rows always gives the same data. Of the rows about 60 % are prices, 25 % transactions, 8 % events of a
-- partitioned table; the prices fill up to exactly what was asked for, but never below one per instrument.

\set ON_ERROR_STOP on
set client_min_messages = warning;
set client_encoding = 'UTF8';
set timezone = 'UTC';
set datestyle = 'ISO, YMD';

create type transaction_kind as enum ('buy', 'sell', 'dividend', 'fee');
create domain currency as char(3) check (value ~ '^[A-Z]{3}$');

create table instruments (
    symbol text primary key,
    name text not null,
    currency currency not null default 'USD',
    listed_on date not null
);
create table users (
    id bigint generated always as identity primary key,
    email text not null,
    name text not null,
    active boolean not null default true,
    settings jsonb not null default '{}',
    created_at timestamptz not null
);
create table portfolios (
    id uuid primary key,
    user_id bigint not null,
    name text not null,
    base currency not null,
    created_at timestamptz not null
);
create table transactions (
    id bigint generated always as identity,
    portfolio_id uuid not null,
    symbol text not null,
    kind transaction_kind not null,
    quantity numeric(18, 6) not null,
    price numeric(18, 4) not null,
    amount numeric(24, 2) generated always as (round(quantity * price, 2)) stored,
    executed_at timestamptz not null,
    note text
);
create table ohlcv (
    symbol text not null,
    at timestamptz not null,
    open numeric(14, 4) not null,
    high numeric(14, 4) not null,
    low numeric(14, 4) not null,
    close numeric(14, 4) not null,
    volume bigint not null
);
create table documents (
    id bigint generated always as identity,
    user_id bigint not null,
    body jsonb not null,
    scan bytea
);
create table events (
    id bigint not null,
    user_id bigint not null,
    happened_at timestamptz not null,
    what text not null,
    detail jsonb
) partition by range (happened_at);
select format('create table events_2024_%s partition of events for values from (%L) to (%L)',
              to_char(month, 'MM'), month, month + interval '1 month')
from generate_series(timestamptz '2024-01-01', '2024-12-01', interval '1 month') as month \gexec
create table events_later partition of events default;

-- A number from 0 to n - 1 that depends on i and the seed only.
create function pg_temp.pick(i bigint, seed bigint, n bigint) returns bigint language sql immutable parallel safe as
    'select abs(hashint8extended(i, seed) % n)';

select greatest(:rows / 20000, 5) as instruments, greatest(:rows / 100, 3) as users, greatest(:rows / 50, 5) as portfolios,
       :rows / 4 as transactions, :rows * 2 / 100 as documents, :rows * 8 / 100 as events
\gset
select greatest(:rows - :instruments - :users - :portfolios - :transactions - :documents - :events, :instruments) as prices
\gset

insert into instruments
    select 'SYM' || lpad(i::text, 4, '0'), 'Instrument number ' || i, (array['USD', 'EUR', 'JPY', 'GBP'])[1 + pg_temp.pick(i, 1, 4)],
           date '1990-01-01' + pg_temp.pick(i, 2, 12000)::integer
    from generate_series(0, :instruments - 1) as i;

insert into users (email, name, active, settings, created_at)
    select 'user' || i || '@example.com', (array['Ana', 'Björn', 'Chloé', 'Dmitri', '恵美', 'O''Neil'])[1 + pg_temp.pick(i, 3, 6)] || ' ' || i,
           pg_temp.pick(i, 4, 20) > 0,
           jsonb_build_object('theme', (array['light', 'dark'])[1 + pg_temp.pick(i, 5, 2)], 'alerts', pg_temp.pick(i, 6, 10)),
           timestamptz '2020-01-01' + i * interval '37 minutes'
    from generate_series(1, :users) as i;

insert into portfolios
    select md5('portfolio ' || i)::uuid, 1 + pg_temp.pick(i, 7, :users), (array['Savings', 'Pension', 'Play "money"', E'Two\nlines'])[1 + pg_temp.pick(i, 8, 4)],
           (array['USD', 'EUR'])[1 + pg_temp.pick(i, 9, 2)], timestamptz '2020-06-01' + i * interval '11 minutes'
    from generate_series(1, :portfolios) as i;

insert into transactions (portfolio_id, symbol, kind, quantity, price, executed_at, note)
    select md5('portfolio ' || (1 + pg_temp.pick(i, 10, :portfolios)))::uuid, 'SYM' || lpad(pg_temp.pick(i, 11, :instruments)::text, 4, '0'),
           (array['buy', 'buy', 'buy', 'sell', 'sell', 'dividend', 'fee'])[1 + pg_temp.pick(i, 12, 7)]::transaction_kind,
           (1 + pg_temp.pick(i, 13, 100000000)) / 1000000.0, (100 + pg_temp.pick(i, 14, 5000000)) / 10000.0,
           timestamptz '2021-01-01' + i * interval '97 seconds',
           case when pg_temp.pick(i, 15, 10) = 0 then 'order ' || md5(i::text) end
    from generate_series(1, :transactions) as i;

-- One bar a minute and instrument; the bars of an instrument follow one another, as a loader writes them.
insert into ohlcv
    select 'SYM' || lpad((i % :instruments)::text, 4, '0'), timestamptz '2023-01-02' + (i / :instruments) * interval '1 minute',
           base, base + up, base - down, base - down + pg_temp.pick(i, 16, 1 + ((up + down) * 10000)::bigint) / 10000.0, 100 + pg_temp.pick(i, 17, 1000000)
    from (select i, 20 + (i % :instruments) * 3 + (i / :instruments % 2000) / 100.0 as base,
                 pg_temp.pick(i, 18, 5000) / 10000.0 as up, pg_temp.pick(i, 19, 5000) / 10000.0 as down
          from generate_series(0::bigint, :prices - 1) as i) as bars;

insert into documents (user_id, body, scan)
    select 1 + pg_temp.pick(i, 20, :users),
           jsonb_build_object('kind', 'statement', 'number', i, 'lines', jsonb_build_array(md5(i::text), md5((i + 1)::text), null, i / 7.0), 'text', repeat('paragraph ', 1 + (i % 40)::integer)),
           case when i % 5 = 0 then decode(repeat(md5('scan ' || i), 1 + (i % 50)::integer), 'hex') end
    from generate_series(1::bigint, :documents) as i;

insert into events
    select i, 1 + pg_temp.pick(i, 21, :users), timestamptz '2024-01-01' + pg_temp.pick(i, 22, 34560000) * interval '1 second',
           (array['login', 'logout', 'order', 'alert'])[1 + pg_temp.pick(i, 23, 4)],
           case when i % 3 = 0 then jsonb_build_object('ip', '192.0.2.' || pg_temp.pick(i, 24, 256)) end
    from generate_series(1::bigint, :events) as i;

alter table transactions add primary key (id), add foreign key (portfolio_id) references portfolios, add foreign key (symbol) references instruments;
alter table portfolios add foreign key (user_id) references users;
alter table documents add primary key (id), add foreign key (user_id) references users on delete cascade;
alter table ohlcv add primary key (symbol, at), add foreign key (symbol) references instruments;
alter table events add primary key (id, happened_at), add foreign key (user_id) references users;
create unique index users_email on users (lower(email));
create index transactions_by_portfolio on transactions (portfolio_id, executed_at desc);
create index documents_body on documents using gin (body jsonb_path_ops);
create index events_of_user on events (user_id) where what = 'order';
create view open_positions as
    select portfolio_id, symbol, sum(case kind when 'buy' then quantity when 'sell' then -quantity end) as quantity
    from transactions where kind in ('buy', 'sell') group by portfolio_id, symbol;
create materialized view daily_turnover as
    select date_trunc('day', executed_at at time zone 'UTC') as day, kind, count(*) as transactions, sum(amount) as amount from transactions group by 1, 2;
create unique index daily_turnover_key on daily_turnover (day, kind);
comment on table ohlcv is 'one bar a minute: open, high, low, close, volume';
analyze;
