//! The parts of a Markdown file that are checked: fenced commands, links, headings.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// What a file contains.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Lines of fenced blocks, continuation lines joined, with their line numbers from 1.
    pub commands: Vec<(usize, String)>,
    /// Link targets with their line numbers.
    pub links: Vec<(usize, String)>,
    /// Anchors of the headings, as GitHub makes them.
    pub anchors: Vec<String>,
}

/// Takes a file apart.
#[must_use]
pub fn parse(text: &str) -> Page {
    let mut page = Page::default();
    let mut heading: Option<String> = None;
    let mut fenced = false;
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        let line = 1 + text[..range.start].matches('\n').count();
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) => fenced = true,
            Event::End(TagEnd::CodeBlock) => fenced = false,
            Event::Text(code) if fenced => page.commands.extend(join_lines(&code, line)),
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                page.links.push((line, dest_url.into_string()));
            }
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(part) | Event::Code(part) if heading.is_some() => {
                heading.get_or_insert_default().push_str(&part);
            }
            Event::End(TagEnd::Heading(_)) => page.anchors.extend(heading.take().map(|title| slug(&title))),
            _ => {}
        }
    }
    page
}

/// Joins lines that end in a backslash with the next one; the number is that of the first.
fn join_lines(code: &str, first: usize) -> Vec<(usize, String)> {
    let mut joined: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (offset, line) in code.lines().enumerate() {
        let (part, continues) = match line.trim_end().strip_suffix('\\') {
            Some(part) => (part, true),
            None => (line, false),
        };
        match joined.last_mut() {
            Some((_, last)) if open => {
                last.push(' ');
                last.push_str(part.trim_start());
            }
            _ => joined.push((first + offset, part.to_owned())),
        }
        open = continues;
    }
    joined
}

/// GitHub's anchor: lower case, punctuation dropped, spaces to hyphens.
fn slug(title: &str) -> String {
    title
        .trim()
        .to_lowercase()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            '-' | '_' => Some(c),
            c if c.is_alphanumeric() => Some(c),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_commands_links_and_headings_with_their_lines() {
        let page = parse("# A `b` C!\n\n[x](y.md#z)\n\n```sh\none \\\n  two\nthree\n```\n\n    indented\n");
        assert_eq!(page.anchors, ["a-b-c"]);
        assert_eq!(page.links, [(3, "y.md#z".to_owned())]);
        assert_eq!(
            page.commands,
            [(6, "one  two".to_owned()), (8, "three".to_owned())]
        );
    }
}
