//! Settings that are not what the configuration expects, and changes that wait for a restart (PostgreSQL manual, 54.24).

use fh_core::report::{Check, Measure, Status};
use fh_pg::quote_literal;

use super::ask::Row;
use super::question::{Asked, Plan, Question, Right};

pub(super) const SETTINGS: Question = Question {
    plans: &[Plan {
        name: "settings",
        about: "settings that are not as expected, and changes that wait for a restart",
        limits: None,
    }],
    right: Right::Everyone,
    grants: &[],
    sql: |_, config| {
        let names: Vec<String> = config.settings.keys().map(|name| quote_literal(name)).collect();
        let named = if names.is_empty() {
            "NULL".to_owned()
        } else {
            names.join(", ")
        };
        Ok(format!(
            "SELECT name, setting, unit, current_setting(name), source, pending_restart, vartype
  FROM pg_settings WHERE name IN ({named}) OR pending_restart"
        ))
    },
    judge: |asked, rows| vec![settings(asked, rows)],
};

fn settings(asked: &Asked<'_>, rows: &[Row]) -> Check {
    let id = asked.id("settings");
    let (mut wrong, mut hidden) = (Vec::new(), Vec::new());
    for (name, expected) in &asked.config.settings {
        match rows.iter().find(|row| row.text(0).eq_ignore_ascii_case(name)) {
            Some(row) if same(row, expected) => {}
            Some(row) => wrong.push(format!(
                "{name} is {} (from {}), expected {expected}",
                row.text(3),
                row.text(4)
            )),
            None if asked.server.reads_settings => wrong.push(format!("{name} is no setting of this server")),
            None => hidden.push(name.as_str()),
        }
    }
    let waiting: Vec<&str> = rows
        .iter()
        .filter(|row| row.is(5))
        .map(|row| row.text(0))
        .collect();
    let count = asked.config.settings.len();
    let mut check = if let Some(first) = wrong.first() {
        let more = match wrong.len() {
            1 => String::new(),
            many => format!(", and {} more", many - 1),
        };
        Check::new(id, Status::Fail, format!("{first}{more}"))
            .hint("ALTER SYSTEM, the parameter group or the role's own settings changed it: set it right, or correct the configuration")
    } else if !waiting.is_empty() {
        Check::warn(
            id,
            format!("{} wait(s) for a restart of the server", waiting.join(", ")),
        )
        .hint("restart the server at a good moment, or take the change back")
    } else if count == 0 {
        Check::skip(id, "no settings are expected, and none waits for a restart")
            .hint("list settings that matter to you under settings, such as settings = { shared_buffers = \"4GB\" }")
    } else if hidden.len() == count {
        Check::skip(id, "the role may not see the settings that are expected")
            .hint(asked.server.grant_monitor())
    } else {
        Check::pass(id, format!("{} setting(s) are as expected", count - hidden.len()))
    };
    check = wrong
        .iter()
        .fold(check, |check, line| check.evidence(line.as_str()));
    if !hidden.is_empty() {
        check = check.evidence(format!(
            "not seen by this role: {}; {}",
            hidden.join(", "),
            asked.server.grant_monitor()
        ));
    }
    check
        .measure(Measure::count("drifted", wrong.len() as u64))
        .measure(Measure::count("waiting_for_restart", waiting.len() as u64))
}

/// Whether a setting has the value that is expected, in whatever unit either is written: `4GB` is `4096MB` and 524288
/// pages.
fn same(row: &Row, expected: &str) -> bool {
    let (raw, unit, shown, kind) = (row.text(1), row.text(2), row.text(3), row.text(6));
    let expected = expected.trim();
    if expected.eq_ignore_ascii_case(shown) || expected.eq_ignore_ascii_case(raw) {
        return true;
    }
    if kind == "bool" {
        return truth(expected).is_some_and(|wanted| truth(raw) == Some(wanted));
    }
    let have = raw
        .parse::<f64>()
        .ok()
        .map(|number| number * scale(unit).unwrap_or(1.0));
    let (number, own) = expected.split_at(
        expected
            .find(|c: char| c.is_alphabetic())
            .unwrap_or(expected.len()),
    );
    let wanted = number.trim().parse::<f64>().ok().and_then(|number| {
        let scale = if own.is_empty() {
            scale(unit).unwrap_or(1.0)
        } else {
            scale(own)?
        };
        Some(number * scale)
    });
    matches!((have, wanted), (Some(have), Some(wanted)) if (have - wanted).abs() <= have.abs() * 1e-9)
}

/// Bytes or milliseconds of a unit (PostgreSQL manual, 19.1.1).
fn scale(unit: &str) -> Option<f64> {
    const KIB: f64 = 1024.0;
    let (number, unit) = unit.split_at(unit.find(|c: char| c.is_alphabetic())?);
    let times = if number.is_empty() {
        1.0
    } else {
        number.parse().ok()?
    };
    Some(
        times
            * match unit {
                "B" => 1.0,
                "kB" => KIB,
                "MB" => KIB * KIB,
                "GB" => KIB * KIB * KIB,
                "TB" => KIB * KIB * KIB * KIB,
                "us" => 0.001,
                "ms" => 1.0,
                "s" => 1000.0,
                "min" => 60_000.0,
                "h" => 3_600_000.0,
                "d" => 86_400_000.0,
                _ => return None,
            },
    )
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" => Some(true),
        "off" | "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_do_not_matter_and_values_do() {
        let row = |raw: &str, unit: &str, shown: &str, kind: &str| {
            let cells = ["x", raw, unit, shown, "default", "f", kind];
            Row(cells.iter().map(|cell| Some((*cell).to_owned())).collect())
        };
        let memory = row("524288", "8kB", "4GB", "integer");
        for (expected, fits) in [
            ("4GB", true),
            ("4096MB", true),
            ("524288", true),
            ("4 GB", true),
            ("4MB", false),
            ("x", false),
            ("", false),
        ] {
            assert_eq!(same(&memory, expected), fits, "{expected}");
        }
        let time = row("300", "s", "5min", "integer");
        assert!(same(&time, "5min") && same(&time, "300") && same(&time, "300000ms") && !same(&time, "5s"));
        let switch = row("on", "", "on", "bool");
        assert!(same(&switch, "true") && same(&switch, "ON") && !same(&switch, "off"));
        assert!(same(&row("replica", "", "replica", "enum"), "replica"));
        assert!(!same(&row("replica", "", "replica", "enum"), "logical"));
    }
}
