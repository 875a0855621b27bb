//! Values in the place of others: always the same for the same value and key, and not to be guessed without the key.

/// First and last words of made-up names: plants and landscapes, so that nobody takes them for people.
const FIRST: [&str; 32] = [
    "Acacia", "Alder", "Amber", "Aspen", "Basil", "Birch", "Briar", "Cedar", "Clover", "Coral", "Cosmos",
    "Fern", "Garnet", "Hazel", "Holly", "Iris", "Ivy", "Jasper", "Juniper", "Laurel", "Lilac", "Linden",
    "Maple", "Olive", "Poppy", "Reed", "Rowan", "Saffron", "Sage", "Sorrel", "Thyme", "Willow",
];
const LAST: [&str; 32] = [
    "Bay", "Brook", "Canyon", "Cliff", "Coast", "Creek", "Dale", "Delta", "Dune", "Field", "Ford", "Forest",
    "Glade", "Glen", "Grove", "Harbor", "Heath", "Hill", "Island", "Lagoon", "Lake", "Marsh", "Meadow",
    "Mesa", "Moor", "Orchard", "Prairie", "Ridge", "River", "Shore", "Spring", "Valley",
];

/// Longest made-up name and address, in characters.
pub(super) const LONGEST_NAME: usize = 15;
pub(super) const LONGEST_EMAIL: usize = 5 + EMAIL_DIGITS + DOMAIN.len();

const EMAIL_DIGITS: usize = 16;

/// Reserved for examples: mail to it goes nowhere (RFC 2606).
const DOMAIN: &str = "@example.com";

/// Makes them.
#[derive(Clone)]
pub(super) struct Fake {
    key: [u8; 32],
}

impl std::fmt::Debug for Fake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fake(***)")
    }
}

impl Fake {
    pub(super) fn new(salt: &str) -> Self {
        Self {
            key: blake3::derive_key("fh-backup 2026 anonymised values", salt.as_bytes()),
        }
    }

    /// 64 hexadecimal digits.
    pub(super) fn hash(&self, value: &[u8]) -> String {
        blake3::keyed_hash(&self.key, value).to_hex().to_string()
    }

    /// A name of two words.
    pub(super) fn name(&self, value: &[u8]) -> String {
        let hash = blake3::keyed_hash(&self.key, value);
        let word = |words: &[&'static str; 32], byte: u8| words[usize::from(byte % 32)];
        let bytes = hash.as_bytes();
        format!("{} {}", word(&FIRST, bytes[0]), word(&LAST, bytes[1]))
    }

    /// An address; different values give different ones.
    pub(super) fn email(&self, value: &[u8]) -> String {
        format!("user-{}{DOMAIN}", &self.hash(value)[..EMAIL_DIGITS])
    }
}

/// Whether a value is a name that [`Fake::name`] makes. A real name can be the same only by being made of these words.
pub(super) fn is_made_up(value: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(value.trim_ascii_end()) else {
        return false;
    };
    text.split_once(' ')
        .is_some_and(|(first, last)| FIRST.contains(&first) && LAST.contains(&last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_depend_on_the_value_and_the_key_alone() {
        let fake = Fake::new("a key of sixteen characters");
        assert_eq!(fake.hash(b"x"), fake.hash(b"x"));
        assert_ne!(fake.hash(b"x"), fake.hash(b"y"));
        assert_ne!(
            fake.hash(b"x"),
            Fake::new("another key of that length").hash(b"x")
        );
        assert_eq!(fake.email(b"ann@shop.example").len(), LONGEST_EMAIL);
        assert!(is_made_up(fake.name(b"Ann").as_bytes()));
        assert!(!is_made_up(b"Ann Smith") && !is_made_up(b"Amber") && !is_made_up(b"\xff Lake"));
    }

    #[test]
    fn no_name_is_longer_than_the_longest() {
        let longest = |words: &[&str]| words.iter().map(|word| word.len()).max().unwrap();
        assert_eq!(longest(&FIRST) + 1 + longest(&LAST), LONGEST_NAME);
    }
}
