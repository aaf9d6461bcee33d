//! What one editor did to the canvas, and what of it must be seen.
//!
//! Everything an editor writes a page about is changed by nobody else, so its value is known: the last that was
//! acknowledged, or any that was made after that and may have arrived.

use std::collections::BTreeMap;

use super::view::View;

/// A thing of one editor's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// Its value is the node's label.
    Node(String),
    Edge(String),
    /// A word in the shared text.
    Word(String),
}

#[derive(Debug, Default)]
pub struct Book {
    /// How many entries were made.
    made: u64,
    /// How many of them are known to be durable.
    acknowledged: u64,
    /// The values of each thing, each with the number of its entry. `None`: it is not there.
    pages: BTreeMap<Thing, Vec<(u64, Option<String>)>>,
}

impl Book {
    pub fn write(&mut self, thing: Thing, value: Option<&str>) {
        self.made += 1;
        self.pages.entry(thing).or_default().push((self.made, value.map(ToOwned::to_owned)));
    }

    pub fn made(&self) -> u64 {
        self.made
    }

    pub fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    pub fn acknowledge(&mut self, made: u64) {
        self.acknowledged = self.acknowledged.max(made);
    }

    /// What is not as it must be, when the first `acknowledged` entries are durable.
    pub fn losses(&self, acknowledged: u64, view: &View) -> Vec<String> {
        let lost = |(thing, page): (&Thing, &Vec<(u64, Option<String>)>)| {
            let last = page.iter().rposition(|(number, _)| *number <= acknowledged);
            let seen = view.value(thing);
            let possible = &page[last.unwrap_or(0)..];
            let untouched = last.is_none() && seen.is_none();
            (!untouched && !possible.iter().any(|(_, value)| *value == seen))
                .then(|| format!("{thing:?} is {seen:?}, but was {possible:?}"))
        };
        self.pages.iter().filter_map(lost).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn view(label: Option<&str>) -> View {
        let nodes = label.map(|label| json!({ "id": "n", "data": { "label": label } }));
        View::of_diagram(&json!({ "nodes": nodes.into_iter().collect::<Vec<_>>(), "edges": [] }))
    }

    /// [REL-1] A value older than the last acknowledged one is a loss, and so is one that nobody wrote.
    #[test]
    fn what_was_acknowledged_must_be_there() {
        let mut book = Book::default();
        let node = Thing::Node("n".to_owned());
        for label in [Some("1"), Some("2"), Some("3")] {
            book.write(node.clone(), label);
        }
        for (acknowledged, seen, fine) in [
            (0, None, true),
            (0, Some("3"), true),
            (1, None, false),
            (2, Some("1"), false),
            (2, Some("2"), true),
            (2, Some("3"), true),
            (3, Some("2"), false),
            (2, Some("9"), false),
        ] {
            assert_eq!(book.losses(acknowledged, &view(seen)).is_empty(), fine, "{acknowledged} {seen:?}");
        }
    }

    /// [REL-1] What was removed and acknowledged does not come back.
    #[test]
    fn what_was_removed_stays_away() {
        let mut book = Book::default();
        book.write(Thing::Node("n".to_owned()), Some("1"));
        book.write(Thing::Node("n".to_owned()), None);
        assert!(book.losses(1, &view(Some("1"))).is_empty());
        assert!(book.losses(2, &view(None)).is_empty());
        assert!(!book.losses(2, &view(Some("1"))).is_empty());
    }
}
