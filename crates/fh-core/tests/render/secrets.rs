//! No renderer lets a secret out, wherever it stands and however it is split.

use fh_core::Secret;
use fh_core::render::{Format, RenderOptions, render, step_summary};
use fh_core::report::{Check, Failure, Measure, Report, Section, Table, Unit};
use proptest::prelude::*;

fn everywhere(text: &str) -> Report {
    let mut report = Report::verdict_run("fh-backup", text, text).about(text, text);
    report.push(
        Check::fail(text, text)
            .measure(Measure::new(text, 1.0, Unit::Count))
            .evidence(text)
            .hint(text)
            .depends_on(text),
    );
    report.show(Table::new(text).left(text).row([text]));
    report.show(Section::facts(text, [(text, text)]));
    report.show(Section::Text(text.into()));
    report.data = serde_json::json!({ text: [text, { text: text }] });
    report.failure = Some(Failure {
        message: text.into(),
        causes: vec![text.into()],
        hint: Some(text.into()),
        exit: fh_core::Exit::Unable,
    });
    report
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    // Letters of one unusual kind, so that a secret cannot be a word of the format; and every character that some
    // format escapes, folds or cuts at.
    #[test]
    fn no_renderer_emits_a_registered_secret(
        secret in "qz[qzQZ0-9:,%|<>&'\"`_*=\\\\ \n\t\u{7}\u{1b}ä表-]{4,24}zq",
        before in "[a-p |%<\n]{0,6}",
        after in "[a-p |%<\n]{0,6}",
        width in 20_usize..100,
    ) {
        let _held = Secret::new(secret.clone());
        let report = everywhere(&format!("{before}{secret}{after}"));
        let options = RenderOptions { width: Some(width), ..RenderOptions::default() };
        for format in [
            Format::Human, Format::Json, Format::Junit, Format::Prometheus, Format::Nagios, Format::Github, Format::Markdown,
        ] {
            let text = render(&report, format, &options);
            prop_assert!(text.contains("***") || text.contains("\\*\\*\\*") || text.contains("___"), "{format:?}: {text}");
            // The secret's beginning in any escaped or folded form still begins with these letters.
            prop_assert!(!text.to_lowercase().contains("qz"), "{format:?}: {text}");
            prop_assert!(!text.to_lowercase().contains("zq"), "{format:?}: {text}");
        }
        prop_assert!(!step_summary(&report, &options, 1 << 20).to_lowercase().contains("qz"));
    }
}
