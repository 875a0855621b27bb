//! From points to a grade.

use std::fmt;
use std::str::FromStr;

use super::Ruling;

/// A grade; the better one is the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Grade(usize);

/// The grades with the fewest points for each, worst first.
const CHART: [(i32, &str); 13] = [
    (0, "F"),
    (25, "D-"),
    (30, "D"),
    (40, "D+"),
    (45, "C-"),
    (50, "C"),
    (60, "C+"),
    (65, "B-"),
    (70, "B"),
    (80, "B+"),
    (85, "A-"),
    (90, "A"),
    (100, "A+"),
];

/// Points are only given to a page that has this many without them.
const ENOUGH_FOR_CREDIT: i32 = 90;

/// The points of a page, from 0 up, and the grade they make.
pub(crate) fn score(rulings: &[Ruling]) -> (i32, Grade) {
    let taken: i32 = rulings.iter().map(|ruling| ruling.points.min(0)).sum();
    let given: i32 = rulings.iter().map(|ruling| ruling.points.max(0)).sum();
    let before = 100 + taken;
    let score = if before >= ENOUGH_FOR_CREDIT {
        before + given
    } else {
        before.max(0)
    };
    let grade = CHART.iter().rposition(|(least, _)| score >= *least).unwrap_or(0);
    (score, Grade(grade))
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(CHART.get(self.0).map_or("F", |(_, name)| name))
    }
}

impl FromStr for Grade {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        CHART
            .iter()
            .position(|(_, name)| name.eq_ignore_ascii_case(text.trim()))
            .map(Self)
            .ok_or_else(|| format!("`{text}` is no grade; they are A+, A, A-, B+ and so on down to D- and F"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graded(points: &[i32]) -> String {
        let rulings: Vec<Ruling> = points
            .iter()
            .map(|points| Ruling::new("x", *points, ""))
            .collect();
        let (score, grade) = score(&rulings);
        format!("{score} {grade}")
    }

    #[test]
    fn credit_comes_only_on_top_of_a_good_page() {
        for (points, wanted) in [
            (&[][..], "100 A+"),
            (&[-5, 10], "105 A+"),
            (&[-10, 5], "95 A"),
            (&[-15, 50], "85 A-"),
            (&[-25, -20, -20, -5], "30 D"),
            (&[-50, -50, -40], "0 F"),
            (&[-71], "29 D-"),
        ] {
            assert_eq!(graded(points), wanted, "{points:?}");
        }
        assert!("A+".parse::<Grade>().unwrap() > "b".parse::<Grade>().unwrap());
        assert!("E".parse::<Grade>().is_err());
    }
}
