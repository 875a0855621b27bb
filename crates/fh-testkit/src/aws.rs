//! A scripted AWS: for what no emulator plays, such as a rollout of ECS that is taken back, or a right that is missing.

use std::collections::HashMap;

use crate::webhook::{Recorded, Reply, Webhook};

/// Answers by the name of the operation, whatever the order of the calls. An operation without an answer is denied, as
/// to a role whose policy does not name it.
#[derive(Debug)]
pub struct ScriptedAws {
    server: Webhook,
}

impl ScriptedAws {
    /// Starts a server that gives these answers: operation, and the body in its protocol (JSON or XML). An operation
    /// that stands here several times is answered in that order, and then with the last one again.
    ///
    /// # Panics
    /// When no loopback port can be had.
    #[must_use]
    pub fn start<'a>(answers: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        let mut script: HashMap<String, Vec<String>> = HashMap::new();
        for (operation, body) in answers {
            script.entry(operation.to_owned()).or_default().push(body);
        }
        let mut asked: HashMap<String, usize> = HashMap::new();
        let server = Webhook::answering(move |request| {
            let operation = operation(request);
            let number = asked.entry(operation.clone()).or_default();
            let answers = script.get(&operation).map(Vec::as_slice).unwrap_or_default();
            let answer = answers.get(*number).or(answers.last());
            *number += 1;
            answer.map_or_else(
                || denial(request, &operation),
                |body| Reply::status(200).body(body.as_str()),
            )
        });
        Self { server }
    }

    /// `http://127.0.0.1:40123`, for `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.server.url("")
    }

    /// The operations that were called so far, in order.
    #[must_use]
    pub fn called(&self) -> Vec<String> {
        self.server.requests().iter().map(operation).collect()
    }

    /// Everything received so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.server.requests()
    }
}

/// The name stands in a header of the JSON protocol, and in the form of the Query protocol.
fn operation(request: &Recorded) -> String {
    if let Some(target) = request.header("x-amz-target") {
        return target.rsplit('.').next().unwrap_or_default().to_owned();
    }
    let form = request.text();
    let action = form.split('&').find_map(|field| field.strip_prefix("Action="));
    action.unwrap_or_default().to_owned()
}

/// How a service says it, in the protocol of the request.
fn denial(request: &Recorded, operation: &str) -> Reply {
    let words = format!(
        "User: arn:aws:sts::123456789012:assumed-role/health/x is not authorized to perform: {operation}"
    );
    if request.header("x-amz-target").is_some() {
        let body = format!(r#"{{"__type":"AccessDeniedException","message":"{words}"}}"#);
        return Reply::status(400).body(body);
    }
    Reply::status(403).body(format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>{words}</Message></Error>\
         <RequestId>req-1</RequestId></ErrorResponse>"
    ))
}
