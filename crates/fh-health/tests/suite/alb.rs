//! Objectives from a load balancer's metrics: a scripted CloudWatch, because no emulator plays a month of them.

use fh_testkit::webhook::{Recorded, Reply, Webhook};

use crate::tool::{Tool, of, said};

/// The value of a field of the form.
fn field(request: &Recorded, name: &str) -> String {
    let body = request.text();
    let found = body
        .split('&')
        .find_map(|pair| pair.strip_prefix(&format!("{name}=")).map(str::to_owned));
    found.unwrap_or_else(|| panic!("no {name} in {body}"))
}

/// CloudWatch with 100 requests in each period of the last hour, and `bad` answers of 5xx among them.
fn cloudwatch(bad: u32) -> Webhook {
    Webhook::answering(move |request| {
        let period: i64 = field(request, "MetricDataQueries.member.1.MetricStat.Period")
            .parse()
            .unwrap();
        let now = jiff::Timestamp::now().as_second();
        let newest = now - now.rem_euclid(period);
        let times: Vec<i64> = (0..3600 / period).map(|back| newest - back * period).collect();
        let member = |id: &str, value: u32| {
            let stamps: String = times
                .iter()
                .map(|at| format!("<member>{}</member>", jiff::Timestamp::from_second(*at).unwrap()))
                .collect();
            let values: String = times
                .iter()
                .map(|_| format!("<member>{value}</member>"))
                .collect();
            format!(
                "<member><Id>{id}</Id><Timestamps>{stamps}</Timestamps><Values>{values}</Values></member>"
            )
        };
        let results = [member("m0", 100), member("m1", bad)].concat();
        Reply::status(200).body(format!(
            "<GetMetricDataResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\"><GetMetricDataResult>\
             <MetricDataResults>{results}</MetricDataResults></GetMetricDataResult></GetMetricDataResponse>"
        ))
    })
}

fn tool(endpoint: &Webhook) -> Tool {
    Tool::new(
        "[[health.slo]]\nname = 'web'\nsource = 'alb'\nload_balancer = 'app/web/0123456789abcdef'\nwindow = '1d'\n",
    )
    .with("AWS_ENDPOINT_URL", endpoint.url(""))
    .with("AWS_REGION", "eu-central-1")
    .with("AWS_ACCESS_KEY_ID", "test")
    .with("AWS_SECRET_ACCESS_KEY", "test-secret-key")
}

#[test]
fn requests_and_5xx_of_the_load_balancer_are_the_events() {
    let good = cloudwatch(0);
    let report = tool(&good).check(&[]);
    assert!(
        said(&report, "slo.web.budget").starts_with("pass: 100 % of the error budget left"),
        "{report:#}"
    );
    // Eleven or twelve periods of five minutes are over.
    let events = of(&report, "slo.web.budget")["measures"]
        .as_array()
        .unwrap()
        .iter()
        .find(|measure| measure["name"] == "events")
        .unwrap()["value"]
        .as_f64()
        .unwrap();
    assert!((1100.0..=1200.0).contains(&events), "{events}");
    let asked = field(
        &good.requests()[0],
        "MetricDataQueries.member.1.MetricStat.Metric.MetricName",
    );
    assert_eq!(asked, "RequestCount");

    let bad = cloudwatch(50);
    let report = tool(&bad).check(&[]);
    assert!(
        said(&report, "slo.web.budget").starts_with("fail: "),
        "{report:#}"
    );
    assert!(
        said(&report, "slo.web.burn").starts_with("fail: the error budget burns 500.0 times"),
        "{report:#}"
    );
}

#[test]
fn a_right_that_is_missing_is_named_and_no_data_is_unknown() {
    let denied = Webhook::start([Reply::status(403).body(
        "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not authorized</Message></Error></ErrorResponse>",
    )]);
    let run = tool(&denied).run(&["--format", "json"]).expect(3);
    assert_eq!(
        said(&run.json(), "slo.web.burn"),
        "skip: the role may not call cloudwatch:GetMetricData"
    );
    let empty = Webhook::start([Reply::status(200).body(
        "<GetMetricDataResponse><GetMetricDataResult><MetricDataResults/></GetMetricDataResult></GetMetricDataResponse>",
    )]);
    let run = tool(&empty).run(&["--format", "json"]).expect(3);
    assert_eq!(said(&run.json(), "slo.web.budget"), "unknown: no event in 1d yet");
    let ran = tool(&empty).run(&["explain", "slo.web"]).expect(0);
    assert!(ran.stdout.contains("cloudwatch:GetMetricData"), "{}", ran.stdout);
}
