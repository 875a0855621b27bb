//! One line with performance data, after the Monitoring Plugins Development Guidelines ("Plugin Output for Nagios").

use super::RenderOptions;
use super::clean::{one_line, shortened};
use crate::report::{Measure, Report, Status, Unit};

/// Nagios keeps 8 KiB of a plugin's output (MAX_PLUGIN_OUTPUT_LENGTH); the text gets a part, whole measures the rest.
const LONGEST_TEXT: usize = 1000;
const LONGEST_LINE: usize = 8000;

pub(super) fn render(report: &Report, _options: &RenderOptions) -> String {
    let word = match report.nagios_exit() {
        0 => "OK",
        1 => "WARNING",
        2 => "CRITICAL",
        _ => "UNKNOWN",
    };
    let mut text = format!(
        "{} {word} - {}",
        run_name(report).to_uppercase(),
        report.headline()
    );
    let mut bad: Vec<_> = report
        .checks
        .iter()
        .filter(|check| !matches!(check.status, Status::Pass | Status::Skip))
        .collect();
    bad.sort_by_key(|check| check.status.rank());
    for (index, check) in bad.iter().enumerate() {
        let separator = if index == 0 { ": " } else { "; " };
        text.push_str(&format!("{separator}{}: {}", check.id, check.summary));
    }
    // The first bar ends the text, wherever it stands.
    let mut line = shortened(&one_line(&text).replace('|', "/"), LONGEST_TEXT);
    let mut separator = " | ";
    for check in &report.checks {
        for measure in &check.measures {
            let data = performance(&check.id, measure);
            if line.len() + separator.len() + data.len() <= LONGEST_LINE {
                line.push_str(separator);
                line.push_str(&data);
                separator = " ";
            }
        }
    }
    line.push('\n');
    line
}

/// `fh-backup verify`, or the tool alone when it has no sub-commands.
pub(super) fn run_name(report: &Report) -> String {
    one_line(&format!("{} {}", report.tool, report.command))
}

/// `'label'=value[UOM];[warn];[crit]`, trailing semicolons left away. `U` says that the value could not be determined.
fn performance(id: &str, measure: &Measure) -> String {
    let unit = match measure.unit {
        Unit::Seconds => "s",
        Unit::Bytes => "B",
        Unit::Percent => "%",
        Unit::Count | Unit::Ratio | Unit::BytesPerSecond | Unit::PerSecond => "",
    };
    let label = one_line(&format!("{id}.{}", measure.name)).replace(['=', '\'', '|'], "_");
    let value = if measure.value.is_finite() {
        format!("{}{unit}", decimal(measure.value))
    } else {
        "U".into()
    };
    // A critical threshold under the warning one means that low values are the bad ones: the range `N:`.
    let low = matches!((measure.warn, measure.critical), (Some(warn), Some(critical)) if critical < warn);
    let range = |threshold: Option<f64>| match threshold.filter(|threshold| threshold.is_finite()) {
        Some(threshold) if low => format!("{}:", decimal(threshold)),
        Some(threshold) => decimal(threshold),
        None => String::new(),
    };
    let data = format!(
        "'{label}'={value};{};{}",
        range(measure.warn),
        range(measure.critical)
    );
    data.trim_end_matches(';').to_owned()
}

/// Digits and a point, no exponent; at most six places.
fn decimal(value: f64) -> String {
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.to_owned() }
}
