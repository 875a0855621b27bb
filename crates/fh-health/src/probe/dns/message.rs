//! Questions and answers on the wire (RFC 1035 §4, RFC 3596 for AAAA, RFC 8659 for CAA).

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Kinds of records, with their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    A = 1,
    Ns = 2,
    Cname = 5,
    Mx = 15,
    Txt = 16,
    Aaaa = 28,
    Caa = 257,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "A",
            Self::Ns => "NS",
            Self::Cname => "CNAME",
            Self::Mx => "MX",
            Self::Txt => "TXT",
            Self::Aaaa => "AAAA",
            Self::Caa => "CAA",
        })
    }
}

/// What a name server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// 0 for an answer, else the reason for none (RFC 1035 §4.1.1).
    pub(super) code: u8,
    /// Whether it did not fit into a datagram.
    pub(super) truncated: bool,
    /// The records of the kind that was asked for, as text.
    pub(super) records: Vec<String>,
}

/// Pointers that are followed in one name: more are a loop.
const JUMPS: usize = 64;

pub(super) fn code_name(code: u8) -> String {
    match code {
        1 => "FORMERR (it does not understand the question)".into(),
        2 => "SERVFAIL (it failed, or DNSSEC does not verify)".into(),
        4 => "NOTIMP (it knows no such question)".into(),
        5 => "REFUSED (it does not answer this host)".into(),
        other => format!("code {other}"),
    }
}

/// A question with recursion desired; `None` when the name cannot be one.
pub(super) fn question(id: u16, name: &str, kind: Kind) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    out.extend(id.to_be_bytes());
    out.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    let name = name.trim_end_matches('.');
    for label in name.split('.') {
        let length = u8::try_from(label.len())
            .ok()
            .filter(|length| (1..=63).contains(length))?;
        if !label.is_ascii() {
            return None;
        }
        out.push(length);
        out.extend(label.bytes());
    }
    out.push(0);
    // Header of 12 bytes, and 255 for the name (RFC 1035 §2.3.4).
    if out.len() > 12 + 255 {
        return None;
    }
    out.extend((kind as u16).to_be_bytes());
    out.extend([0, 1]);
    Some(out)
}

/// Reads the answer to `question`; `None` when these bytes are none.
pub(super) fn answer(bytes: &[u8], question: &[u8], kind: Kind) -> Option<Answer> {
    let number = |at: usize| Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let flags = number(2)?;
    // The same id, an answer, and the same question: otherwise it may be anybody's.
    let same_question = bytes
        .get(12..question.len())
        .is_some_and(|got| got.eq_ignore_ascii_case(&question[12..]));
    let refused_unread = number(4)? == 0 && flags & 15 != 0;
    if bytes.get(..2) != question.get(..2) || flags & 0x8000 == 0 || !(same_question || refused_unread) {
        return None;
    }
    let mut answer = Answer {
        code: u8::try_from(flags & 15).unwrap_or(15),
        truncated: flags & 0x0200 != 0,
        records: Vec::new(),
    };
    if refused_unread {
        return Some(answer);
    }
    let mut at = question.len();
    for _ in 0..number(6)? {
        let Some((record, next)) = record(bytes, at, kind) else {
            // A datagram that was cut off ends in the middle.
            return answer.truncated.then_some(answer);
        };
        answer.records.extend(record);
        at = next;
    }
    Some(answer)
}

/// The record at `at`, when it is of this kind, and where the next one begins.
fn record(bytes: &[u8], at: usize, kind: Kind) -> Option<(Option<String>, usize)> {
    let (_, at) = name(bytes, at)?;
    let number = |at: usize| Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let (found, length) = (number(at)?, usize::from(number(at + 8)?));
    let data = at + 10;
    let end = data + length;
    let rdata = bytes.get(data..end)?;
    if found != kind as u16 {
        return Some((None, end));
    }
    let text = match kind {
        Kind::A => Ipv4Addr::from(<[u8; 4]>::try_from(rdata).ok()?).to_string(),
        Kind::Aaaa => Ipv6Addr::from(<[u8; 16]>::try_from(rdata).ok()?).to_string(),
        Kind::Ns | Kind::Cname => name(bytes, data)?.0,
        Kind::Mx => format!("{} {}", number(data)?, name(bytes, data + 2)?.0),
        Kind::Txt => strings(rdata)?,
        Kind::Caa => caa(rdata)?,
    };
    Some((Some(text), end))
}

/// A name, with its pointers followed, and where what is behind it begins.
fn name(bytes: &[u8], start: usize) -> Option<(String, usize)> {
    let (mut labels, mut at, mut behind) = (Vec::new(), start, None);
    for _ in 0..JUMPS + 128 {
        let length = usize::from(*bytes.get(at)?);
        match length {
            0 => return Some((labels.join("."), behind.unwrap_or(at + 1))),
            1..=63 => {
                let label = bytes.get(at + 1..at + 1 + length)?;
                labels.push(String::from_utf8_lossy(label).into_owned());
                at += 1 + length;
            }
            0xc0.. => {
                behind.get_or_insert(at + 2);
                at = (length & 0x3f) << 8 | usize::from(*bytes.get(at + 1)?);
            }
            _ => return None,
        }
    }
    None
}

/// Strings of a TXT record, joined as their readers join them.
fn strings(mut rest: &[u8]) -> Option<String> {
    let mut out = Vec::new();
    while let Some((length, more)) = rest.split_first() {
        let length = usize::from(*length);
        out.extend_from_slice(more.get(..length)?);
        rest = &more[length..];
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

/// `0 issue "letsencrypt.org"` (RFC 8659 §4.1).
fn caa(rdata: &[u8]) -> Option<String> {
    let (flags, length) = (rdata.first()?, usize::from(*rdata.get(1)?));
    let tag = String::from_utf8_lossy(rdata.get(2..2 + length)?);
    let value = String::from_utf8_lossy(rdata.get(2 + length..)?);
    Some(format!("{flags} {tag} \"{value}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer to `question` with these records: name pointer, kind, data.
    fn reply(question: &[u8], flags: u16, records: &[(u16, &[u8])]) -> Vec<u8> {
        let mut out = question[..2].to_vec();
        out.extend(flags.to_be_bytes());
        out.extend([0, 1]);
        out.extend(u16::try_from(records.len()).unwrap().to_be_bytes());
        out.extend([0; 4]);
        out.extend(&question[12..]);
        for (kind, data) in records {
            out.extend([0xc0, 12]);
            out.extend(kind.to_be_bytes());
            out.extend([0, 1, 0, 0, 0, 60]);
            out.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
            out.extend(*data);
        }
        out
    }

    #[test]
    fn every_kind_is_read() {
        let cases: [(Kind, &[u8], &str); 6] = [
            (Kind::A, &[192, 0, 2, 7], "192.0.2.7"),
            (Kind::Ns, &[2, b'n', b's', 0xc0, 12], "ns.app.example"),
            (Kind::Mx, &[0, 10, 2, b'm', b'x', 0], "10 mx"),
            (Kind::Txt, &[2, b'v', b'=', 1, b'1'], "v=1"),
            (Kind::Caa, b"\x00\x05issueca.example", "0 issue \"ca.example\""),
            (Kind::Cname, &[1, b'c', 0], "c"),
        ];
        for (kind, data, text) in cases {
            let question = question(7, "app.example", kind).unwrap();
            let bytes = reply(&question, 0x8180, &[(99, &[1, 2]), (kind as u16, data)]);
            let answer = answer(&bytes, &question, kind).unwrap();
            assert_eq!(answer.records, [text], "{kind}");
        }
    }

    #[test]
    fn hostile_bytes_are_no_answer_and_no_panic() {
        let question = question(7, "app.example", Kind::Ns).unwrap();
        // A name that points at itself.
        let at = u8::try_from(question.len() + 12).unwrap();
        let looped = reply(&question, 0x8180, &[(2, &[0xc0, at])]);
        assert_eq!(answer(&looped, &question, Kind::Ns), None);
        let good = reply(&question, 0x8180, &[(2, &[1, b'n', 0])]);
        assert!(answer(&good, &question, Kind::Ns).is_some());
        for end in 0..good.len() {
            assert_eq!(answer(&good[..end], &question, Kind::Ns), None, "{end}");
        }
        let mut other = good.clone();
        other[1] ^= 1;
        assert_eq!(answer(&other, &question, Kind::Ns), None, "another id");
        let mut other = good;
        other[14] ^= 1;
        assert_eq!(answer(&other, &question, Kind::Ns), None, "another question");
    }

    #[test]
    fn names_that_cannot_be() {
        for wrong in ["", "a..b", &"x".repeat(64), "münchen.example", &"abc.".repeat(80)] {
            assert!(question(0, wrong, Kind::A).is_none(), "{wrong}");
        }
        assert!(question(0, "app.example.com.", Kind::A).is_some());
    }
}
