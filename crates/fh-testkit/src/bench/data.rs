//! What happens to the data between two backups.

/// A change, and what it is called in the table.
pub(super) struct Change {
    pub(super) name: &'static str,
    pub(super) sql: &'static str,
}

/// One per cent more rows at the end, as time goes on; then one per cent of the transactions changed, neighbours, as a
/// correction of one batch does. PostgreSQL writes a new version of each such row at another place.
pub(super) const CHANGES: [Change; 2] = [
    Change {
        name: "1 % appended",
        sql: "insert into ohlcv select symbol, at + interval '20 years', open, high, low, close, volume
                  from ohlcv order by at desc limit (select count(*) / 100 from ohlcv);
              insert into transactions (portfolio_id, symbol, kind, quantity, price, executed_at, note)
                  select portfolio_id, symbol, kind, quantity, price, executed_at + interval '20 years', note
                  from transactions where id <= (select count(*) / 100 from transactions)",
    },
    Change {
        name: "1 % updated",
        sql: "update transactions set note = 'corrected' where id <= (select count(*) / 100 from transactions)",
    },
];
