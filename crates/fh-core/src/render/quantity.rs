//! Numbers as people read them.

use std::time::Duration;

use crate::report::{Measure, Unit};

/// A whole number with a comma every three digits: `1,234,567`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A size in binary units: `999 B`, `1.5 GiB`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub fn bytes(size: u64) -> String {
    if size < 1024 {
        format!("{size} B")
    } else {
        binary(size as f64)
    }
}

/// A time in the two units that matter: `350 ms`, `12.3 s`, `2 min 05 s`, `3 h 07 min`, `2 d 04 h`.
#[must_use]
pub fn duration(time: Duration) -> String {
    let whole = time.as_secs();
    match whole {
        0 if time.as_micros() < 1000 => format!("{} µs", time.as_micros()),
        0 => format!("{} ms", time.as_millis()),
        1..60 => format!("{whole}.{} s", time.subsec_millis() / 100),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        3600..86_400 => format!("{} h {:02} min", whole / 3600, whole / 60 % 60),
        _ => format!("{} d {:02} h", whole / 86_400, whole / 3600 % 24),
    }
}

/// `rows 1,204 (warn at 1,000, critical at 900)`.
pub(super) fn measure(measure: &Measure) -> String {
    let mut out = format!("{} {}", measure.name, value(measure.value, measure.unit));
    let thresholds: Vec<String> = [("warn", measure.warn), ("critical", measure.critical)]
        .into_iter()
        .filter_map(|(word, threshold)| Some(format!("{word} at {}", value(threshold?, measure.unit))))
        .collect();
    if !thresholds.is_empty() {
        out.push_str(&format!(" ({})", thresholds.join(", ")));
    }
    out
}

fn value(number: f64, unit: Unit) -> String {
    if !number.is_finite() {
        return "unknown".into();
    }
    match unit {
        Unit::Seconds => match Duration::try_from_secs_f64(number) {
            Ok(time) if number > 0.0 => duration(time),
            _ => format!("{} s", short(number)),
        },
        Unit::Bytes if number.abs() < 1024.0 => format!("{} B", short(number)),
        Unit::Bytes => binary(number),
        Unit::Count => short(number),
        Unit::Percent => format!("{} %", short(number)),
        Unit::Ratio => format!("{number:.4}"),
        Unit::BytesPerSecond if number.abs() < 1024.0 => format!("{} B/s", short(number)),
        Unit::BytesPerSecond => format!("{}/s", binary(number)),
        Unit::PerSecond => format!("{}/s", short(number)),
    }
}

/// Whole numbers grouped, others with two digits, or all they have when that would show a zero.
fn short(number: f64) -> String {
    let sign = if number < 0.0 { "-" } else { "" };
    let size = number.abs();
    if size.fract() == 0.0 && size < 9e15 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, positive and below 2^53"
        )]
        let whole = size as u64;
        return format!("{sign}{}", grouped(whole));
    }
    if size < 0.005 {
        format!("{number}")
    } else {
        format!("{number:.2}")
    }
}

fn binary(size: f64) -> String {
    let mut left = size;
    let mut unit = "B";
    for next in ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] {
        // What would print as 1024.0 of one unit is 1.0 of the next.
        if left.abs() < 1023.95 {
            break;
        }
        left /= 1024.0;
        unit = next;
    }
    format!("{left:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            ["0", "999", "1,000", "1,234,567"],
            [0, 999, 1000, 1_234_567]
                .map(grouped)
                .each_ref()
                .map(String::as_str)
        );
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(1024 * 1024 - 1), "1.0 MiB");
        assert_eq!(bytes(u64::MAX), "16.0 EiB");
    }

    #[test]
    fn times_read_well() {
        let times = [
            (0, 999_000, "999 µs"),
            (0, 350_000_000, "350 ms"),
            (59, 990_000_000, "59.9 s"),
        ];
        for (seconds, nanoseconds, text) in times {
            assert_eq!(duration(Duration::new(seconds, nanoseconds)), text);
        }
        for (seconds, text) in [(125, "2 min 05 s"), (11_220, "3 h 07 min"), (187_200, "2 d 04 h")] {
            assert_eq!(duration(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn measures_read_well() {
        let cases = [
            (
                Measure::count("rows", 1204).warn_at(1000.0).critical_at(900.0),
                "rows 1,204 (warn at 1,000, critical at 900)",
            ),
            (Measure::percent("used", 91.256), "used 91.26 %"),
            (Measure::new("lag", -0.5, Unit::Seconds), "lag -0.50 s"),
            (Measure::new("lag", 0.0, Unit::Seconds), "lag 0 s"),
            (Measure::new("lag", f64::NAN, Unit::Seconds), "lag unknown"),
            (
                Measure::new("rate", 3.5e6, Unit::BytesPerSecond),
                "rate 3.3 MiB/s",
            ),
            (Measure::new("hit", 0.99871, Unit::Ratio), "hit 0.9987"),
            (Measure::new("rate", 0.001, Unit::PerSecond), "rate 0.001/s"),
        ];
        for (given, text) in cases {
            assert_eq!(measure(&given), text);
        }
    }
}
