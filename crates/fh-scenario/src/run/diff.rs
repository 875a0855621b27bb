//! Expected and got, so that the difference is seen.

use serde_json::Value;

/// Texts longer than this are compared line by line.
const SHORT: usize = 100;

/// How many lines of a difference are shown.
const MOST_LINES: usize = 40;

/// Longer lines are cut.
const WIDEST: usize = 160;

/// Texts of more lines are not compared line by line: the work grows with the product.
const MOST_COMPARED: usize = 400;

/// The difference, for evidence: two lines and a pointer for short texts, the changed lines for long ones. JSON is laid out
/// first.
#[must_use]
pub fn difference(expected: &str, got: &str) -> Vec<String> {
    if expected.len() <= SHORT && got.len() <= SHORT {
        return short(expected, got);
    }
    let (left, right) = (laid_out(expected), laid_out(got));
    let (left, right): (Vec<&str>, Vec<&str>) = (left.lines().collect(), right.lines().collect());
    if left.len() <= 1 || right.len() <= 1 || left.len() > MOST_COMPARED || right.len() > MOST_COMPARED {
        return vec![
            format!("expected: {}", cut(expected)),
            format!("got:      {}", cut(got)),
        ];
    }
    let mut lines = vec!["- expected, + got:".to_owned()];
    lines.extend(changed(&left, &right));
    if lines.len() > MOST_LINES {
        let more = lines.len() - MOST_LINES;
        lines.truncate(MOST_LINES);
        lines.push(format!("… {more} more lines"));
    }
    lines
}

fn short(expected: &str, got: &str) -> Vec<String> {
    let mut lines = vec![format!("expected: {expected}"), format!("got:      {got}")];
    let same = expected
        .chars()
        .zip(got.chars())
        .take_while(|(left, right)| left == right)
        .count();
    // A pointer helps where the texts are alike.
    if same >= 4 {
        lines.push(format!("{}^", " ".repeat("expected: ".len() + same)));
    }
    lines
}

fn laid_out(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::String(inner)) => inner,
        Ok(value) => serde_json::to_string_pretty(&value).unwrap_or_else(|_| text.to_owned()),
        Err(_) => text.to_owned(),
    }
}

fn cut(text: &str) -> String {
    let line = text.replace('\n', "\\n");
    match line.char_indices().nth(WIDEST) {
        Some((end, _)) => format!("{}… ({} bytes)", &line[..end], text.len()),
        None => line,
    }
}

/// Lines that differ, with one line around them: the longest common subsequence stays.
fn changed(left: &[&str], right: &[&str]) -> Vec<String> {
    let width = right.len() + 1;
    let mut common = vec![0_u32; (left.len() + 1) * width];
    for i in (0..left.len()).rev() {
        for j in (0..right.len()).rev() {
            common[i * width + j] = if left[i] == right[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut all: Vec<(char, &str)> = Vec::new();
    while i < left.len() || j < right.len() {
        if i < left.len() && j < right.len() && left[i] == right[j] {
            all.push((' ', left[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == right.len()
            || (i < left.len() && common[(i + 1) * width + j] >= common[i * width + j + 1])
        {
            all.push(('-', left[i]));
            i += 1;
        } else {
            all.push(('+', right[j]));
            j += 1;
        }
    }
    let near = |index: usize| {
        let from = index.saturating_sub(1);
        all[from..all.len().min(index + 2)]
            .iter()
            .any(|(sign, _)| *sign != ' ')
    };
    all.iter()
        .enumerate()
        .filter(|(index, _)| near(*index))
        .map(|(_, (sign, line))| format!("{sign} {}", cut(line)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_have_a_pointer() {
        insta::assert_snapshot!(difference("\"connected\"", "\"connecting\"").join("\n"), @r#"
        expected: "connected"
        got:      "connecting"
                          ^
        "#);
        assert_eq!(difference("200", "503").len(), 2);
    }

    #[test]
    fn long_json_shows_the_lines_that_differ() {
        let value = |change: i32| {
            let items: Vec<i32> = (0..60).map(|n| if n == 30 { change } else { n }).collect();
            serde_json::json!({"items": items}).to_string()
        };
        insta::assert_snapshot!(difference(&value(30), &value(99)).join("\n"), @r"
        - expected, + got:
              29,
        -     30,
        +     99,
              31,
        ");
    }
}
