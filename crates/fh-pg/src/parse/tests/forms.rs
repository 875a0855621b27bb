//! Generated connection strings: both forms of the same parts mean the same.

use proptest::prelude::*;

use super::{environment, parse, password, tcp};
use crate::parse::{read, resolve::resolve};
use crate::target::Server;

/// Percent-encodes all that is not a letter or digit, and some that are: `rot` says which.
fn encode(text: &str, rot: usize) -> String {
    text.bytes()
        .enumerate()
        .map(
            |(index, byte)| match byte.is_ascii_alphanumeric() && !(index + rot).is_multiple_of(5) {
                true => char::from(byte).to_string(),
                false if index % 2 == 0 => format!("%{byte:02X}"),
                false => format!("%{byte:02x}"),
            },
        )
        .collect()
}

/// A value of the keyword form in quotes, or bare where it can be.
fn keyword_value(text: &str, bare: bool) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\'', "\\'");
    if bare && !text.is_empty() {
        escaped
            .chars()
            .map(|c| {
                if c.is_ascii_whitespace() || c == '\x0b' {
                    format!("\\{c}")
                } else {
                    c.to_string()
                }
            })
            .collect()
    } else {
        format!("'{escaped}'")
    }
}

proptest! {
    #[test]
    fn a_url_and_pairs_of_the_same_parts_mean_the_same(
        user in "[^\0]{1,10}",
        secret in "[^\0]{1,10}",
        database in "[^\0]{1,10}",
        hosts in prop::collection::vec(("[a-z][a-z0-9.-]{0,8}", 1..=u16::MAX), 1..4),
        options in "[^\0]{1,8}",
        rot in 0..5usize,
        bare: bool,
    ) {
        let authority: Vec<String> = hosts.iter().map(|(host, port)| format!("{host}:{port}")).collect();
        let url = format!(
            "postgresql://{}:{}@{}/{}?options={}",
            encode(&user, rot), encode(&secret, rot), authority.join(","), encode(&database, rot), encode(&options, rot),
        );
        let list = |part: fn(&(String, u16)) -> String| hosts.iter().map(part).collect::<Vec<_>>().join(",");
        let value = |text: &str| keyword_value(text, bare);
        let pairs = format!(
            "host={} port={} user={} password={} dbname={} options={}",
            list(|(host, _)| host.clone()), list(|(_, port)| port.to_string()),
            value(&user), value(&secret), value(&database), value(&options),
        );
        let expected: Vec<Server> = hosts.iter().map(|(host, port)| tcp(host, *port)).collect();
        for target in [parse(&url), parse(&pairs)] {
            prop_assert_eq!(target.servers(), &expected[..]);
            prop_assert_eq!(target.user(), &user);
            prop_assert_eq!(password(&target), Some(&secret[..]));
            prop_assert_eq!(target.database(), &database);
            prop_assert_eq!(target.options.as_deref(), Some(&options[..]));
        }
    }

    #[test]
    fn no_text_makes_the_parser_fail_otherwise_than_by_an_error(text in "(postgres://)?[ -~é]{0,40}") {
        let _ = read(&text).and_then(|settings| resolve(&settings, &environment()));
    }
}
