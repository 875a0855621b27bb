//! File names are bytes; JSON has texts. A name that is UTF-8 stands as it is, another one in hexadecimal under a key of
//! its own, so that nobody mistakes the one for the other.

use std::fmt::Write as _;

/// Hexadecimal digits.
fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

/// A name as people may see it.
pub(super) fn shown(name: &[u8]) -> String {
    name.escape_ascii()
        .to_string()
        .replace("\\\"", "\"")
        .replace("\\'", "'")
}

/// Makes a serde module for a name under `$text` or `$hex`.
macro_rules! name_module {
    ($module:ident, $text:ident, $hex:ident) => {
        #[doc = concat!("`", stringify!($text), "`, or `", stringify!($hex), "` when it is not UTF-8.")]
        mod $module {
            use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

            #[derive(Serialize, Deserialize)]
            struct Form {
                #[serde(default, skip_serializing_if = "Option::is_none")]
                $text: Option<String>,
                #[serde(default, skip_serializing_if = "Option::is_none")]
                $hex: Option<String>,
            }

            pub(super) fn write<S: Serializer>(
                name: Option<&[u8]>,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                let text = name.map(|name| std::str::from_utf8(name).map_err(|_| super::to_hex(name)));
                let (text, hex) = match text {
                    None => (None, None),
                    Some(Ok(text)) => (Some(text.to_owned()), None),
                    Some(Err(hex)) => (None, Some(hex)),
                };
                Form {
                    $text: text,
                    $hex: hex,
                }
                .serialize(serializer)
            }

            pub(super) fn read<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Option<Vec<u8>>, D::Error> {
                let form = Form::deserialize(deserializer)?;
                match (form.$text, form.$hex) {
                    (Some(text), None) => Ok(Some(text.into_bytes())),
                    (None, Some(hex)) => super::from_hex(&hex)
                        .map(Some)
                        .ok_or_else(|| D::Error::custom("a name in hexadecimal is not readable")),
                    (None, None) => Ok(None),
                    (Some(_), Some(_)) => Err(D::Error::custom("a name stands there twice")),
                }
            }
        }
    };
}

name_module!(path_form, path, path_hex);
name_module!(link_form, link, link_hex);

/// The path, which every entry has.
pub(super) mod path {
    use serde::{Deserializer, Serializer, de::Error as _};

    #[expect(clippy::ptr_arg, reason = "serde calls it with the field")]
    pub(in super::super) fn serialize<S: Serializer>(
        name: &Vec<u8>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        super::path_form::write(Some(name), serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        super::path_form::read(deserializer)?.ok_or_else(|| D::Error::custom("an entry has no path"))
    }
}

/// The target of a link, which only links have.
pub(super) mod link {
    use serde::{Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "serde calls it with the field")]
    pub(in super::super) fn serialize<S: Serializer>(
        name: &Option<Vec<u8>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        super::link_form::write(name.as_deref(), serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        super::link_form::read(deserializer)
    }
}
