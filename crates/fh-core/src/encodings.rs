//! Base64, and the other spellings in which a secret may turn up in foreign text.

use std::fmt::Write as _;

/// A piece of base64 shorter than this may be anything.
const SHORTEST_PIECE: usize = 8;

/// The spellings of `value`, itself first: percent-encoded (RFC 3986 §2.1), as HTML forms encode it, as JSON escapes
/// it, and as it appears inside a longer text in base64 (RFC 4648), in both alphabets.
pub(crate) fn spellings(value: &str) -> Vec<String> {
    let mut all = vec![value.to_owned()];
    let percent = percent(value);
    all.push(percent.replace("%20", "+"));
    all.push(percent.to_lowercase());
    all.push(percent);
    let json = serde_json::Value::from(value).to_string();
    all.push(json[1..json.len() - 1].to_owned());
    for offset in 0..3 {
        let piece = base64_inside(value.as_bytes(), offset);
        if piece.len() >= SHORTEST_PIECE {
            all.push(piece.replace('+', "-").replace('/', "_"));
            all.push(piece);
        }
    }
    let mut seen: Vec<String> = Vec::with_capacity(all.len());
    for form in all {
        if !seen.contains(&form) {
            seen.push(form);
        }
    }
    seen
}

/// Percent-encodes everything but the unreserved characters (RFC 3986 §2.1 and §2.3).
#[must_use]
pub fn percent(value: &str) -> String {
    value
        .bytes()
        .fold(String::with_capacity(value.len()), |mut out, byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                let _ = write!(out, "%{byte:02X}");
            }
            out
        })
}

/// The characters of base64 that depend on `bytes` alone when `offset` (modulo 3) other bytes stand before them.
fn base64_inside(bytes: &[u8], offset: usize) -> String {
    let mut shifted = vec![0; offset];
    shifted.extend(bytes);
    let whole = shifted.len() * 8 / 6;
    let first = (offset * 8).div_ceil(6);
    let text = base64(&shifted);
    text.get(first..whole).unwrap_or_default().to_owned()
}

/// Base64 with padding (RFC 4648 §4).
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let number = chunk
            .iter()
            .chain([0, 0].iter())
            .take(3)
            .fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
        for index in 0..4 {
            if index <= chunk.len() {
                out.push(char::from(ALPHABET[number >> (18 - 6 * index) & 63]));
            } else {
                out.push('=');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648 §10.
    #[test]
    fn base64_as_in_the_standard() {
        let cases: [(&[u8], &str); 5] = [
            (b"", ""),
            (b"f", "Zg=="),
            (b"fo", "Zm8="),
            (b"foo", "Zm9v"),
            (b"foobar", "Zm9vYmFy"),
        ];
        for (plain, encoded) in cases {
            assert_eq!(base64(plain), encoded);
        }
    }

    #[test]
    fn a_secret_is_found_at_every_place_of_a_longer_text() {
        let secret = "s3cret?>value~";
        let forms = spellings(secret);
        for before in ["", "u", "us", "use", "user:"] {
            for after in ["", "x", "xy"] {
                let encoded = base64(format!("{before}{secret}{after}").as_bytes());
                assert!(
                    forms.iter().any(|form| encoded.contains(form)),
                    "{before} {after}"
                );
                let url_safe = encoded.replace('+', "-").replace('/', "_");
                assert!(
                    forms.iter().any(|form| url_safe.contains(form)),
                    "{before} {after}"
                );
            }
        }
    }
}
