//! Slack's incoming webhooks (docs.slack.dev, "Sending messages using incoming webhooks" and "Formatting message text").

use serde_json::{Value, json};

use super::message::Message;
use super::post::{Answer, Target, post};
use crate::deadline::Deadline;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::secret::{Secret, scrub};

/// Slack's limit for the text of a section block is 3,000 characters; it rejects the whole message above it.
const SECTION_LIMIT: usize = 3000;
/// The title is also the text that a phone shows; Slack cuts that at 4,000 characters.
const TITLE_LIMIT: usize = 1000;
/// One fact or finding; nobody reads more of it in a chat window.
const PIECE_LIMIT: usize = 500;

/// Sends a message. It succeeded only when Slack says so: status 200 and the word `ok`.
///
/// # Errors
/// Exit code 3 when Slack cannot be reached or does not take the message, 2 when `webhook` is not a URL. The URL,
/// which is all it takes to post, is in none of them.
pub fn slack(webhook: &Secret, message: &Message, deadline: &Deadline) -> Result<()> {
    let target = Target {
        name: "Slack",
        setting: "notify.slack_webhook",
        url: webhook,
    };
    let body = payload(message).to_string();
    let answer = post(&target, "application/json", body.as_bytes(), deadline)?;
    if answer.status == 200 && answer.body.trim() == "ok" {
        return Ok(());
    }
    Err(refusal(&answer))
}

fn refusal(answer: &Answer) -> Error {
    let said = answer.excerpt();
    let hint = match (answer.status, said.as_str()) {
        (_, "channel_is_archived") => "the webhook's channel is archived: make a webhook for another channel",
        (_, "action_prohibited" | "posting_to_general_channel_denied" | "team_disabled") => {
            "an administrator of the workspace does not allow this message"
        }
        (403 | 404 | 410, _) => {
            "the webhook was removed or is incomplete: make a new one and set notify.slack_webhook"
        }
        (429, _) => "too many messages in a short time; the next run tries again",
        (500.., _) => "the fault is on Slack's side; the next run tries again",
        (300..400, _) => "notify.slack_webhook answers with a redirect: give the address it leads to",
        (200, _) => {
            "a webhook answers `ok`: check that notify.slack_webhook is an incoming webhook's address"
        }
        _ => "check that notify.slack_webhook is the whole address of an incoming webhook",
    };
    Error::unable(format!("Slack did not take the message: {}", answer.said())).hint(hint)
}

/// The JSON that Slack wants: blocks for the window, a text for the notification.
fn payload(message: &Message) -> Value {
    let mark = match message.exit {
        Exit::Good => ":white_check_mark:",
        Exit::Bad => ":x:",
        Exit::Usage | Exit::Unable => ":grey_question:",
        Exit::Refused | Exit::Interrupted | Exit::Terminated => ":no_entry:",
    };
    let title = escaped(&one_line(&message.title), TITLE_LIMIT);
    let facts = message
        .facts
        .iter()
        .map(|(name, value)| escaped(&format!("{name}: {}", one_line(value)), PIECE_LIMIT));
    let findings = message
        .findings
        .iter()
        .map(|finding| format!("• {}", escaped(&one_line(finding), PIECE_LIMIT)));
    let blocks: Vec<Value> = [
        Some(format!("{mark} *{title}*")),
        joined(facts, "  ·  "),
        joined(findings, "\n"),
    ]
    .into_iter()
    .flatten()
    .map(|text| json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } }))
    .collect();
    json!({ "text": format!("{mark} {title}"), "blocks": blocks })
}

/// As many pieces as fit into a section; `None` when there are none, because an empty section is an error.
fn joined(pieces: impl Iterator<Item = String>, between: &str) -> Option<String> {
    let mut out = String::new();
    for piece in pieces {
        let length = out.chars().count() + between.chars().count() + piece.chars().count();
        if length > SECTION_LIMIT - 10 {
            out.push_str(between);
            out.push('…');
            break;
        }
        if !out.is_empty() {
            out.push_str(between);
        }
        out.push_str(&piece);
    }
    (!out.is_empty()).then_some(out)
}

fn one_line(text: &str) -> String {
    scrub(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `text` with the three characters escaped that control Slack's markup, at most `limit` characters long as sent, and
/// never cut inside an escape.
fn escaped(text: &str, limit: usize) -> String {
    let mut out = String::new();
    let mut length = 0;
    for letter in text.chars() {
        let escape = match letter {
            '&' => Some("&amp;"),
            '<' => Some("&lt;"),
            '>' => Some("&gt;"),
            _ => None,
        };
        length += escape.map_or(1, str::len);
        // One is kept free for the mark of the cut.
        if length >= limit {
            out.push('…');
            break;
        }
        match escape {
            Some(escape) => out.push_str(escape),
            None => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_whole_payload() {
        let message = Message {
            exit: Exit::Bad,
            title: "fh-backup verify: newest set of <app> & \"co\"".into(),
            facts: vec![
                ("environment".into(), "production".into()),
                ("took".into(), "2.0 s".into()),
            ],
            findings: vec![
                "fail table.users: 2 rows\nmissing (hint: restore > now)".into(),
                "and 3 more".into(),
            ],
        };
        insta::assert_snapshot!(serde_json::to_string_pretty(&payload(&message)).unwrap(), @r#"
        {
          "text": ":x: fh-backup verify: newest set of &lt;app&gt; &amp; \"co\"",
          "blocks": [
            {
              "type": "section",
              "text": {
                "type": "mrkdwn",
                "text": ":x: *fh-backup verify: newest set of &lt;app&gt; &amp; \"co\"*"
              }
            },
            {
              "type": "section",
              "text": {
                "type": "mrkdwn",
                "text": "environment: production  ·  took: 2.0 s"
              }
            },
            {
              "type": "section",
              "text": {
                "type": "mrkdwn",
                "text": "• fail table.users: 2 rows missing (hint: restore &gt; now)\n• and 3 more"
              }
            }
          ]
        }
        "#);
        let bare = payload(&Message::new(Exit::Good, "fh-backup create: done"));
        insta::assert_snapshot!(bare, @r#"{"text":":white_check_mark: fh-backup create: done","blocks":[{"type":"section","text":{"type":"mrkdwn","text":":white_check_mark: *fh-backup create: done*"}}]}"#);
    }

    #[test]
    fn what_slack_says_decides() {
        let cases = [
            (404, "no_service"),
            (403, "invalid_token"),
            (410, "channel_is_archived"),
            (403, "action_prohibited"),
            (400, "invalid_payload"),
            (429, "rate_limited"),
            (500, "rollup_error"),
            (200, "<!doctype html><title>Welcome</title>"),
            (302, ""),
        ];
        let said: Vec<String> = cases
            .iter()
            .map(|(status, body)| {
                refusal(&Answer {
                    status: *status,
                    body: (*body).into(),
                })
                .render()
            })
            .collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        error: Slack did not take the message: HTTP 404, `no_service`
        hint: the webhook was removed or is incomplete: make a new one and set notify.slack_webhook
        error: Slack did not take the message: HTTP 403, `invalid_token`
        hint: the webhook was removed or is incomplete: make a new one and set notify.slack_webhook
        error: Slack did not take the message: HTTP 410, `channel_is_archived`
        hint: the webhook's channel is archived: make a webhook for another channel
        error: Slack did not take the message: HTTP 403, `action_prohibited`
        hint: an administrator of the workspace does not allow this message
        error: Slack did not take the message: HTTP 400, `invalid_payload`
        hint: check that notify.slack_webhook is the whole address of an incoming webhook
        error: Slack did not take the message: HTTP 429, `rate_limited`
        hint: too many messages in a short time; the next run tries again
        error: Slack did not take the message: HTTP 500, `rollup_error`
        hint: the fault is on Slack's side; the next run tries again
        error: Slack did not take the message: HTTP 200, `<!doctype html><title>Welcome</title>`
        hint: a webhook answers `ok`: check that notify.slack_webhook is an incoming webhook's address
        error: Slack did not take the message: HTTP 302
        hint: notify.slack_webhook answers with a redirect: give the address it leads to
        ");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Slack rejects the whole message when one text is too long, or empty.
        #[test]
        fn no_message_breaks_a_limit(
            title in "[a&<ü ]{0,1200}",
            facts in prop::collection::vec(("[a-z]{0,20}", "[x<&\n]{0,900}"), 0..40),
            findings in prop::collection::vec("[x<&é]{0,600}", 0..20),
        ) {
            let payload = payload(&Message { exit: Exit::Unable, title, facts, findings });
            let blocks = payload["blocks"].as_array().unwrap();
            prop_assert!(blocks.len() <= 50);
            prop_assert!(payload["text"].as_str().unwrap().chars().count() <= 4000);
            for block in blocks {
                let text = block["text"]["text"].as_str().unwrap();
                prop_assert!((1..=SECTION_LIMIT).contains(&text.chars().count()));
                prop_assert!(!text.contains('<') && !text.contains('>'));
                for (at, _) in text.match_indices('&') {
                    let rest = &text[at..];
                    prop_assert!(["&amp;", "&lt;", "&gt;"].iter().any(|escape| rest.starts_with(escape)));
                }
            }
        }
    }
}
