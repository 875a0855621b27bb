//! What machines read, read back by parsers that are not ours, or that follow the formats' own descriptions.

use std::collections::BTreeMap;

use crate::tool::Tool;

const CONFIG: &str = "[[health.command]]\nname = 'good'\ncommand = ['true']\n\
    [[health.command]]\nname = 'bad'\ncommand = ['sh', '-c', 'echo \"a <b> & \\\"c\\\" | d\"; exit 1']\n\
    [[health.command]]\nname = 'gone'\ncommand = ['/nonexistent/program']\n[health.host]\n";

/// What a program by others makes of a report.
fn read_by_others(read: impl FnOnce(&fh_testkit::Parsers) -> String) -> Option<serde_json::Value> {
    let parsers = fh_testkit::start_or_skip(fh_testkit::Parsers::try_start())?;
    Some(serde_json::from_str(&read(&parsers)).unwrap())
}

#[test]
fn junit_is_read_by_junitparser() {
    let tool = Tool::new(CONFIG);
    let ran = tool.run(&["--format", "junit"]).expect(1);
    let Some(read) = read_by_others(|parsers| parsers.junit(&ran.stdout).unwrap()) else {
        return;
    };
    assert_eq!(read["said"], read["counted"], "{read:#}");
    let cases = read["cases"].as_array().unwrap();
    assert_eq!(read["said"][0], cases.len(), "{read:#}");
    let results = |id: &str| {
        let case = cases.iter().find(|case| case[1] == id);
        case.unwrap_or_else(|| panic!("no case {id}: {read:#}"))[3].clone()
    };
    assert_eq!(results("command.good"), serde_json::json!([]));
    assert_eq!(results("command.bad"), serde_json::json!(["Failure"]));
    assert_eq!(results("command.gone"), serde_json::json!(["Error"]));
}

#[test]
fn prometheus_text_is_read_by_its_own_client_as_by_us() {
    let tool = Tool::new(CONFIG);
    let ran = tool.run(&["--format", "prometheus"]).expect(1);
    let Some(read) = read_by_others(|parsers| parsers.prometheus(&ran.stdout).unwrap()) else {
        return;
    };
    let mut theirs = BTreeMap::new();
    for sample in read.as_array().unwrap() {
        let labels = sample[1].as_object().unwrap().iter();
        let labels: BTreeMap<String, String> = labels
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
            .collect();
        let series = (sample[0].as_str().unwrap().to_owned(), labels);
        let old = theirs.insert(series, sample[2].as_f64().unwrap());
        assert!(old.is_none(), "{sample} comes twice");
    }
    let ours = scrape(&ran.stdout);
    assert!(ours.len() > 5, "{}", ran.stdout);
    for sample in ours {
        let series = (sample.metric, sample.labels);
        let value = theirs.remove(&series).unwrap_or_else(|| panic!("no {series:?}"));
        // The way over JSON may cost the last digit.
        let near = (value - sample.value).abs() <= sample.value.abs() * 1e-12;
        assert!(near, "{series:?}: {value} and {}", sample.value);
    }
    assert!(theirs.is_empty(), "{theirs:?}");
}

#[test]
fn junit_is_read_by_its_own_library() {
    let tool = Tool::new(CONFIG);
    let ran = tool.run(&["--format", "junit"]).expect(1);
    let report = quick_junit::Report::deserialize_from_str(&ran.stdout).unwrap();
    let cases: Vec<_> = report
        .test_suites
        .iter()
        .flat_map(|suite| &suite.test_cases)
        .collect();
    let is = |id: &str| {
        let case = cases.iter().find(|case| case.name.as_str() == id);
        match &case.unwrap_or_else(|| panic!("no case {id}")).status {
            quick_junit::TestCaseStatus::Success { .. } => "success",
            quick_junit::TestCaseStatus::NonSuccess { .. } => "bad",
            quick_junit::TestCaseStatus::Skipped { .. } => "skipped",
        }
    };
    assert_eq!(
        (is("command.good"), is("command.bad"), is("command.gone")),
        ("success", "bad", "bad")
    );
}

/// The grammar of the Monitoring Plugins Development Guidelines, "Performance data":
/// `'label'=value[UOM];[warn];[crit];[min];[max]`.
#[test]
fn nagios_output_follows_the_guidelines() {
    let tool = Tool::new(CONFIG);
    let ran = tool.run(&["--format", "nagios"]).expect(2);
    let line = ran.stdout.lines().next().unwrap();
    let (text, data) = line.split_once('|').unwrap();
    assert!(text.starts_with("FH-HEALTH CHECK CRITICAL - "), "{line}");
    let mut found: BTreeMap<String, f64> = BTreeMap::new();
    let mut rest = data.trim();
    while !rest.is_empty() {
        let (label, tail) = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split_once("'=").unwrap(),
            None => rest.split_once('=').unwrap(),
        };
        assert!(!label.contains('='), "{label}");
        let (value, tail) = tail.split_once(' ').unwrap_or((tail, ""));
        let mut fields = value.split(';');
        let first = fields.next().unwrap();
        let number = first.trim_end_matches(|letter: char| letter.is_ascii_alphabetic() || letter == '%');
        let unit = &first[number.len()..];
        assert!(
            ["", "s", "us", "ms", "%", "B", "KB", "MB", "TB", "c"].contains(&unit),
            "{value}"
        );
        for threshold in fields.filter(|field| !field.is_empty()) {
            let bound = threshold.trim_start_matches('@').trim_end_matches(':');
            assert!(
                bound
                    .split(':')
                    .all(|part| part == "~" || part.parse::<f64>().is_ok()),
                "{value}"
            );
        }
        let old = found.insert(label.to_owned(), number.parse().unwrap());
        assert!(old.is_none(), "{label} twice");
        rest = tail.trim_start();
    }
    assert!(
        found.keys().any(|label| label.contains("host.disk.root")),
        "{found:?}"
    );
    // Nothing to check is unknown to Nagios, and never OK.
    assert_eq!(Tool::new("").run(&["--format", "nagios"]).code, 3);
}

/// Read by a parser of the format's description (Prometheus documentation, "Exposition formats"), which knows nothing of the
/// renderer: the crates for it bring a second library for time.
#[test]
fn prometheus_text_has_a_sample_for_each_check_and_replaces_the_file_in_one_step() {
    let tool = Tool::new(CONFIG);
    tool.run(&["--format", "prometheus", "--output", "fh.prom"])
        .expect(1);
    let text = std::fs::read_to_string(tool.path("fh.prom")).unwrap();
    let samples = scrape(&text);
    let of = |check: &str| -> Vec<(&str, f64)> {
        let labelled = samples
            .iter()
            .filter(|sample| sample.labels.get("check").is_some_and(|id| id == check));
        labelled
            .map(|sample| (sample.metric.as_str(), sample.value))
            .collect()
    };
    for id in ["command.good", "command.bad", "command.gone", "host.disk.root"] {
        assert!(!of(id).is_empty(), "{id}: {text}");
    }
    assert_ne!(of("command.good"), of("command.bad"));
    // A run that cannot begin must not leave yesterday's good news.
    tool.configure("[health]\nnonsense = 1\n");
    tool.run(&["--format", "prometheus", "--output", "fh.prom"])
        .expect(2);
    let after = std::fs::read_to_string(tool.path("fh.prom")).unwrap();
    assert!(!after.contains("command.good"), "{after}");
}

struct Sample {
    metric: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// Every sample; anything that is not right fails the test.
fn scrape(text: &str) -> Vec<Sample> {
    assert!(text.ends_with('\n'), "the last line has no end");
    let mut types = BTreeMap::new();
    let mut samples: Vec<Sample> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            if words.next() == Some("TYPE") {
                let (name, kind) = (words.next().unwrap(), words.next().unwrap());
                assert!(["gauge", "counter", "untyped"].contains(&kind), "{line}");
                assert!(
                    types.insert(name.to_owned(), kind.to_owned()).is_none(),
                    "{name} has two types"
                );
                assert!(
                    samples.iter().all(|sample| sample.metric != name),
                    "the type of {name} comes late"
                );
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (metric, labels) = match series.split_once('{') {
            Some((metric, rest)) => (metric, labels(rest.strip_suffix('}').unwrap())),
            None => (series, BTreeMap::new()),
        };
        assert!(is_name(metric) && types.contains_key(metric), "{line}");
        let same = samples
            .iter()
            .any(|sample| sample.metric == metric && sample.labels == labels);
        assert!(!same, "{line} is there twice");
        samples.push(Sample {
            metric: metric.to_owned(),
            labels,
            value: value.parse().unwrap(),
        });
    }
    samples
}

fn is_name(text: &str) -> bool {
    let head = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
    text.starts_with(head)
        && text
            .chars()
            .all(|letter| head(letter) || letter == ':' || letter.is_ascii_digit())
}

fn labels(mut rest: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    while !rest.is_empty() {
        let (name, tail) = rest.split_once("=\"").unwrap();
        assert!(is_name(name), "label {name}");
        let (mut value, mut letters) = (String::new(), tail.char_indices());
        let end = loop {
            match letters.next().unwrap() {
                (at, '"') => break at,
                (_, '\\') => match letters.next().unwrap().1 {
                    'n' => value.push('\n'),
                    letter @ ('\\' | '"') => value.push(letter),
                    other => panic!("\\{other} is no escape"),
                },
                (_, letter) => value.push(letter),
            }
        };
        assert!(
            found.insert(name.to_owned(), value).is_none(),
            "label {name} twice"
        );
        rest = tail[end + 1..].trim_start_matches(',');
    }
    found
}
