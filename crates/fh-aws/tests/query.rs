//! The Query protocol against a scripted server and against the emulator.

mod fixed;

use fh_aws::QueryClient;
use fh_core::Exit;
use fh_testkit::webhook::{Reply, Webhook};
use fh_testkit::{Moto, require};
use fixed::config;

const GOOD: &str = "<DescribeThingsResponse><DescribeThingsResult><Name>a &amp; b</Name></DescribeThingsResult></DescribeThingsResponse>";

fn refusal(code: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>words of the service</Message></Error>\
         <RequestId>req-1</RequestId></ErrorResponse>"
    )
}

#[tokio::test]
async fn the_request_is_what_aws_documents() {
    let server = Webhook::start([Reply::status(200).body(GOOD)]);
    let client = QueryClient::new(&config(&server.url("")).await, "elasticache", "2015-02-02").unwrap();
    let answer = client
        .call("DescribeThings", &[("Name", "a b"), ("MaxRecords", "20")])
        .await
        .unwrap();
    assert_eq!(
        answer.text(&["DescribeThingsResult", "Name"]).as_deref(),
        Some("a & b")
    );
    let request = server.requests().remove(0);
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/"));
    assert_eq!(
        request.text(),
        "Action=DescribeThings&Version=2015-02-02&Name=a%20b&MaxRecords=20"
    );
    assert_eq!(
        request.header("content-type"),
        Some("application/x-www-form-urlencoded; charset=utf-8")
    );
    let authorization = request.header("authorization").unwrap();
    assert!(
        authorization.contains("/eu-central-1/elasticache/aws4_request"),
        "{authorization}"
    );
}

#[tokio::test]
async fn what_passes_is_tried_again_and_a_refusal_is_told() {
    let server = Webhook::start([
        Reply::status(400).body(refusal("Throttling")),
        Reply::status(503).body("<html>"),
        Reply::status(200).body(GOOD),
    ]);
    let client = QueryClient::new(&config(&server.url("")).await, "elasticache", "2015-02-02").unwrap();
    client.call("DescribeThings", &[]).await.unwrap();
    assert_eq!(server.requests().len(), 3);

    let server = Webhook::start([Reply::status(404).body(refusal("ThingNotFoundFault"))]);
    let client = QueryClient::new(&config(&server.url("")).await, "elasticache", "2015-02-02").unwrap();
    let error = client.call("DescribeThings", &[]).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Unable);
    assert!(
        error
            .render()
            .contains("ThingNotFoundFault: words of the service (HTTP 404, request req-1)"),
        "{}",
        error.render()
    );
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn another_answer_is_not_taken_for_a_result() {
    for body in ["<html/>", "{}", "", "<OtherResponse/>"] {
        let server = Webhook::start([Reply::status(200).body(body)]);
        let client = QueryClient::new(&config(&server.url("")).await, "elasticache", "2015-02-02").unwrap();
        let error = client.call("DescribeThings", &[]).await.unwrap_err();
        assert!(error.message().contains("is not understood"), "{body}: {error}");
    }
}

#[tokio::test]
async fn the_emulator_understands_it() {
    let moto = require!(Moto::try_start());
    let client = QueryClient::new(&config(&moto.endpoint()).await, "elasticache", "2015-02-02").unwrap();
    let answer = client.call("DescribeReplicationGroups", &[]).await.unwrap();
    assert!(
        answer
            .text(&["DescribeReplicationGroupsResult", "ReplicationGroups"])
            .is_some(),
        "{answer:?}"
    );
    let error = client
        .call("DescribeReplicationGroups", &[("ReplicationGroupId", "none")])
        .await
        .unwrap_err();
    assert!(
        error.render().contains("ReplicationGroupNotFound"),
        "{}",
        error.render()
    );
}
