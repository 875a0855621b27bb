//! A report with everything in it that breaks formats.

use std::time::Duration;

use fh_core::report::{Check, Measure, Report, Section, Table, Unit};

/// Checks of all statuses, dependencies, repeated ids, thresholds both ways, and texts with line breaks, escape
/// sequences, quotes, bars, backticks, entities, percent signs and workflow commands.
pub(crate) fn report() -> Report {
    let mut report = Report::verdict_run(
        "fh-backup",
        "verify",
        "Verify of the newest set | <b>&amp;\u{1b}[31m red",
    )
    .about("environment", "production")
    .about("database", "fin\"ance\\eu\nsecond line")
    .since("2026-11-24T02:00:00.25Z".parse().unwrap());
    report.finished = "2026-11-24T02:01:15.75Z".parse().unwrap();
    report.push(
        Check::pass("db.connect", "connected as fh_backup")
            .measure(Measure::duration("connect", Duration::from_micros(12_345)))
            .evidence("never shown to people, because all is well")
            .took(Duration::from_millis(13)),
    );
    report.push(
        Check::warn("disk|space", "the data volume is 91 % full, which is *more* than `90 %` and will not be enough for the next full backup")
            .measure(Measure::percent("used", 91.25).warn_at(90.0).critical_at(95.0))
            .measure(Measure::bytes("free", 9_663_676_416).warn_at(1e10).critical_at(5e9))
            .hint("grow the volume, or delete old sets: fh-backup prune --keep 7, but only after a look at what is really in there"),
    );
    report.push(
        Check::fail(
            "table.\"users\"",
            "2 rows missing ]]> <script>alert(1)</script> & more\n::error::not a command",
        )
        .measure(Measure::count("rows", 1204))
        .measure(Measure::count("rows", 1206))
        .measure(Measure::new("it's=odd name", -0.5, Unit::Ratio))
        .evidence("first line of evidence: 100%, a|b\r\nsecond line\u{0}\u{7}\u{1b}[1mbold\u{1b}[0m")
        .evidence("```\nnot the end of a code block\n```")
        .hint("restore from an older set: `fh-backup restore`")
        .took(Duration::from_secs(187)),
    );
    report.push(
        Check::unknown("replica.lag", "permission denied for pg_stat_replication").measure(Measure::new(
            "lag",
            f64::NAN,
            Unit::Seconds,
        )),
    );
    report.push(Check::pass("replica.slots", "2 slots").depends_on("replica.lag"));
    report.push(Check::skip("s3.lock", "not asked for"));
    report.push(
        Check::pass("db.connect", "the same id again, 表 and 🦀").measure(Measure::new(
            "rate",
            3.5e6,
            Unit::BytesPerSecond,
        )),
    );
    report.show(
        Table::new("Tables")
            .left("table")
            .right("rows")
            .row(["public.\"users | more\"", "1,204"])
            .row(["public.prices\n(partitioned)", "1,000,000", "not shown"])
            .row(["short"]),
    );
    report.show(Section::facts(
        "Set",
        [
            ("id", "2026-11-23T020000Z-7f3a91"),
            ("encrypted to", "age1_x *y*"),
        ],
    ));
    report.show(Section::Text("A closing remark,\nin two lines.".into()));
    report.data =
        serde_json::json!({ "z": 1, "a": ["x\u{0}y", 1.5, null], "nested": { "key": "</script>" } });
    report
}
