//! Who last changed what of a diagram, and who changed what since the last published version [CANVAS-7].
//!
//! Noted in memory with each change, kept with the snapshot, and rebuilt from it and the log behind it: no edit costs
//! a write more. Bounded by the diagram: what is added and removed again leaves no trace.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use troupe_crdt::Touched;
use troupe_model::{ElementKind, Timestamp, Touch, UserId};

/// Authors of one element who are remembered between two versions; who changed it longest ago is forgotten first.
const AUTHORS_MAX: usize = 16;

/// Who last changed an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastChange {
    pub kind: ElementKind,
    pub id: Arc<str>,
    pub by: UserId,
    pub at: Timestamp,
}

/// What one person did to one element since the last published version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    pub by: UserId,
    pub kind: ElementKind,
    pub id: Arc<str>,
    pub touch: Touch,
    /// The last time.
    pub at: Timestamp,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Authorship {
    /// The row of the log up to which everything is published.
    published_seq: i64,
    elements: HashMap<ElementKind, HashMap<Arc<str>, Element>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Element {
    last: Option<(UserId, Timestamp)>,
    /// Not in the last published version.
    added: bool,
    /// In the last published version, and not in the diagram any more.
    removed: bool,
    /// Since the last published version.
    authors: Vec<(UserId, Touch, Timestamp)>,
}

impl Authorship {
    /// As it was written; `None` if it cannot be read.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        rmp_serde::from_slice(bytes).ok()
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        rmp_serde::to_vec(self).expect("ids, words and numbers can be written")
    }

    pub(crate) fn published_seq(&self) -> i64 {
        self.published_seq
    }

    /// Nobody: the server itself, which is no author.
    pub(crate) fn note(&mut self, by: Option<UserId>, at: Timestamp, touched: Vec<Touched>) {
        for Touched { kind, id, touch } in touched {
            let elements = self.elements.entry(kind).or_default();
            if touch == Touch::Removed && elements.get(&id).is_some_and(|element| element.added) {
                elements.remove(&id);
                continue;
            }
            elements.entry(id).or_default().note(by, at, touch);
        }
    }

    /// Everything up to this row is in a published version now.
    pub(crate) fn publish(&mut self, seq: i64) {
        self.published_seq = seq;
        for elements in self.elements.values_mut() {
            elements.retain(|_, element| !element.removed);
            for element in elements.values_mut() {
                element.added = false;
                element.authors.clear();
            }
        }
    }

    /// Of one node, or of everything in the diagram that somebody is known to have changed; sorted.
    pub(crate) fn last_changes(&self, node: Option<&str>) -> Vec<LastChange> {
        let mut changes: Vec<LastChange> = self
            .elements()
            .filter(|(kind, id, element)| {
                !element.removed && node.is_none_or(|node| *kind == ElementKind::Node && ***id == *node)
            })
            .filter_map(|(kind, id, element)| {
                let (by, at) = element.last?;
                Some(LastChange { kind, id: id.clone(), by, at })
            })
            .collect();
        changes.sort_by(|a, b| (a.kind, &a.id).cmp(&(b.kind, &b.id)));
        changes
    }

    /// Since the last published version, sorted by author.
    pub(crate) fn changes(&self) -> Vec<Change> {
        let mut changes: Vec<Change> = self
            .elements()
            .flat_map(|(kind, id, element)| {
                let change = move |&(by, touch, at)| Change { by, kind, id: id.clone(), touch, at };
                element.authors.iter().map(change)
            })
            .collect();
        changes.sort();
        changes
    }

    /// Everybody who changed something since the last published version.
    pub(crate) fn authors(&self) -> BTreeSet<UserId> {
        self.elements().flat_map(|(_, _, element)| element.authors.iter().map(|(by, ..)| *by)).collect()
    }

    fn elements(&self) -> impl Iterator<Item = (ElementKind, &Arc<str>, &Element)> {
        self.elements.iter().flat_map(|(kind, elements)| elements.iter().map(|(id, element)| (*kind, id, element)))
    }
}

impl Element {
    fn note(&mut self, by: Option<UserId>, at: Timestamp, touch: Touch) {
        let mut told = touch;
        match touch {
            // What others did to it before does not matter any more.
            Touch::Removed => {
                self.removed = true;
                self.authors.clear();
            }
            // It is there again: all in all, it was changed.
            Touch::Added if self.removed => {
                self.removed = false;
                self.authors.clear();
                told = Touch::Changed;
            }
            Touch::Added => self.added = true,
            Touch::Changed | Touch::Moved => {}
        }
        let Some(by) = by else { return };
        self.last = Some((by, at));
        match self.authors.iter_mut().find(|(author, ..)| *author == by) {
            Some((_, known, last)) => (*known, *last) = (told.max(*known), at),
            None => self.authors.push((by, told, at)),
        }
        if self.authors.len() > AUTHORS_MAX
            && let Some(oldest) = (0..self.authors.len()).min_by_key(|index| self.authors[*index].2)
        {
            self.authors.remove(oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct World {
        authorship: Authorship,
        ann: UserId,
        bob: UserId,
        now: i64,
    }

    impl World {
        fn new() -> Self {
            let people = (UserId::generate(), UserId::generate());
            Self { authorship: Authorship::default(), ann: people.0, bob: people.1, now: 0 }
        }

        fn does(&mut self, by: UserId, id: &str, touch: Touch) {
            self.now += 1;
            let touched = vec![Touched { kind: ElementKind::Node, id: id.into(), touch }];
            self.authorship.note(Some(by), Timestamp::from_millis(self.now), touched);
        }

        fn changes(&self) -> Vec<String> {
            let name = |by: UserId| if by == self.ann { "ann" } else { "bob" };
            self.authorship
                .changes()
                .into_iter()
                .map(|change| format!("{} {} {:?} {}", name(change.by), change.id, change.touch, change.at.as_millis()))
                .collect()
        }

        fn last(&self, node: &str) -> Option<(UserId, i64)> {
            self.authorship.last_changes(Some(node)).first().map(|last| (last.by, last.at.as_millis()))
        }
    }

    /// [CANVAS-7] Who changed what since the last version, each person's own part; who was last outlives a version.
    #[test]
    fn tells_changes_by_author() {
        let mut world = World::new();
        let (ann, bob) = (world.ann, world.bob);
        world.does(ann, "a", Touch::Added);
        world.does(ann, "a", Touch::Moved);
        world.does(bob, "a", Touch::Moved);
        world.does(bob, "a", Touch::Changed);
        world.does(bob, "b", Touch::Added);
        assert_eq!(world.changes(), ["ann a Added 2", "bob a Changed 4", "bob b Added 5"]);
        assert_eq!(world.last("a"), Some((bob, 4)));
        assert_eq!(world.authorship.authors(), BTreeSet::from([ann, bob]));

        world.authorship.publish(5);
        assert!(world.changes().is_empty());
        assert_eq!(world.last("a"), Some((bob, 4)));

        world.does(ann, "a", Touch::Moved);
        world.does(bob, "b", Touch::Removed);
        assert_eq!(world.changes(), ["ann a Moved 6", "bob b Removed 7"]);
        assert_eq!(world.last("b"), None);
    }

    /// [CANVAS-7] What comes and goes between two versions is no change; what goes and comes again is one.
    #[test]
    fn tells_what_is_left_of_it() {
        let mut world = World::new();
        let (ann, bob) = (world.ann, world.bob);
        world.does(ann, "a", Touch::Added);
        world.authorship.publish(1);
        for n in 0..1_000 {
            world.does(bob, &format!("n{n}"), Touch::Added);
            world.does(ann, &format!("n{n}"), Touch::Removed);
        }
        assert!(world.changes().is_empty());
        assert_eq!(world.authorship.elements().count(), 1, "nothing is kept of it");

        world.does(bob, "a", Touch::Changed);
        world.does(ann, "a", Touch::Removed);
        assert_eq!(world.changes(), ["ann a Removed 2003"], "what is gone has no other change");
        world.does(bob, "a", Touch::Added);
        assert_eq!(world.changes(), ["bob a Changed 2004"]);
    }

    /// [CANVAS-7] The server's own repairs are nobody's change.
    #[test]
    fn the_server_is_no_author() {
        let mut world = World::new();
        let ann = world.ann;
        world.does(ann, "a", Touch::Added);
        world.authorship.publish(1);
        let touched = vec![Touched { kind: ElementKind::Node, id: "a".into(), touch: Touch::Removed }];
        world.authorship.note(None, Timestamp::from_millis(2), touched);
        assert!(world.changes().is_empty());
        assert_eq!(world.last("a"), None);
    }

    /// [CANVAS-7] One element's authors are bounded, and it is read back as it was written.
    #[test]
    fn is_bounded_and_written() {
        let mut world = World::new();
        let people: Vec<UserId> = (0..AUTHORS_MAX + 5).map(|_| UserId::generate()).collect();
        for by in &people {
            world.does(*by, "a", Touch::Changed);
        }
        assert_eq!(world.authorship.authors(), people[5..].iter().copied().collect());
        let bytes = world.authorship.write();
        assert_eq!(Authorship::read(&bytes), Some(world.authorship));
        assert_eq!(Authorship::read(b"junk"), None);
    }
}
