use super::column::Shape;
use super::*;

fn anonymizer(actions: Vec<Action>) -> Anonymizer {
    let plans = actions.into_iter().enumerate().map(|(index, action)| Plan {
        label: format!("public.users.c{index}"),
        kind: "text".into(),
        watched: matches!(action, Action::Keep),
        action,
    });
    Anonymizer {
        tables: [("public.users".to_owned(), plans.collect())].into(),
        fake: Fake::new("a key of sixteen characters"),
        originals: Originals::new(7),
        keep_large_objects: false,
        unlisted: Vec::new(),
    }
}

fn all() -> Anonymizer {
    anonymizer(vec![
        Action::Keep,
        Action::Hash(Shape::Text),
        Action::Email(Shape::Text),
        Action::Name(Shape::Text),
        Action::Null,
        Action::Fixed {
            text: "-".into(),
            canonical: b"-".to_vec(),
        },
    ])
}

const ROWS: &[u8] =
    b"1\ttoken\\ta\tann@shop.example\tAnn Smith\tsecret\t555-0100\n2\t\\N\t\\N\t\\N\t\\N\t\\N\n";

#[test]
fn values_are_replaced_and_null_stays() {
    let anonymizer = all();
    let masked = anonymizer.mask("public.users", ROWS).unwrap();
    let text = String::from_utf8(masked.clone()).unwrap();
    let first: Vec<&str> = text.lines().next().unwrap().split('\t').collect();
    assert_eq!(first[0], "1");
    assert_eq!(first[1], anonymizer.fake.hash(b"token\ta"));
    assert!(first[2].ends_with("@example.com") && fake::is_made_up(first[3].as_bytes()));
    assert_eq!(&first[4..], ["\\N", "-"]);
    assert_eq!(text.lines().nth(1), Some("2\t\\N\t\\N\t\\N\t\\N\t\\N"));
    for before in ["ann@", "Ann", "secret", "555", "token"] {
        assert!(!text.contains(before), "{text}");
    }
    let mut hits = Hits::default();
    anonymizer.search("public.users", &masked, &mut hits).unwrap();
    let done = anonymizer.verdict(hits).unwrap();
    assert_eq!((done.columns, done.values), (5, 5));
}

#[test]
fn every_value_that_survives_is_found() {
    let anonymizer = all();
    let masked = anonymizer.mask("public.users", ROWS).unwrap();
    let text = String::from_utf8(masked).unwrap();
    let before: Vec<&str> = std::str::from_utf8(ROWS)
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .split('\t')
        .collect();
    for column in 1..6 {
        let mut fields: Vec<&str> = text.lines().next().unwrap().split('\t').collect();
        fields[column] = before[column];
        let mut hits = Hits::default();
        let line = format!("{}\n", fields.join("\t"));
        anonymizer
            .search("public.users", line.as_bytes(), &mut hits)
            .unwrap();
        let error = anonymizer.verdict(hits).unwrap_err().to_string();
        assert!(error.contains(&format!("public.users.c{column} (1)")), "{error}");
    }
    let mut hits = Hits::default();
    let elsewhere = text.lines().next().unwrap().replacen('1', "ann@shop.example", 1);
    anonymizer
        .search("public.users", format!("{elsewhere}\n").as_bytes(), &mut hits)
        .unwrap();
    assert_eq!(
        anonymizer.verdict(hits).unwrap().elsewhere,
        [("public.users.c0".to_owned(), 1)]
    );
}

#[test]
fn a_row_with_another_number_of_values_is_an_error() {
    for rows in [&b"1\tx\n"[..], b"1\t2\t3\t4\t5\t6\t7\n"] {
        assert!(all().mask("public.users", rows).is_err());
    }
}
