//! Moments as AWS writes them: seconds since 1970 with fractions in JSON, ISO 8601 in XML (Smithy, "Timestamp
//! serialization and deserialization").

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use crate::xml::Xml;

/// For `#[serde(deserialize_with)]`: an optional number of seconds.
pub(super) fn epoch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let seconds = Option::<f64>::deserialize(deserializer)?;
    Ok(seconds.and_then(of_seconds))
}

fn of_seconds(seconds: f64) -> Option<Timestamp> {
    // AWS gives milliseconds; a double has a little more and a little less than that.
    let length = jiff::SignedDuration::try_from_secs_f64(seconds).ok()?;
    let length = length.round(jiff::SignedDurationRound::new().smallest(jiff::Unit::Millisecond));
    Timestamp::from_duration(length.ok()?).ok()
}

/// The moment in a child element; `None` when it is not there or not one.
pub(super) fn of_xml(element: &Xml, name: &str) -> Option<Timestamp> {
    element.text(&[name])?.parse().ok()
}

/// As the Query protocol wants it.
pub(super) fn written(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let at: Timestamp = "2026-11-23T02:00:00.5Z".parse().unwrap();
        assert_eq!(of_seconds(1_795_399_200.5), Some(at));
        let at_third: Timestamp = "2026-11-23T02:00:00.123Z".parse().unwrap();
        assert_eq!(of_seconds(1_795_399_200.123), Some(at_third));
        assert_eq!(of_seconds(f64::NAN), None);
        assert_eq!(of_seconds(1e300), None);
        let xml = Xml::parse(b"<a><at>2026-11-23T02:00:00.500Z</at><no>soon</no></a>").unwrap();
        assert_eq!(of_xml(&xml, "at"), Some(at));
        assert_eq!(of_xml(&xml, "no"), None);
        assert_eq!(written(at), "2026-11-23T02:00:00Z");
    }
}
