//! Where something is in JSON: a pointer (RFC 6901) that is written only when it is told, since a value of a megabyte
//! has many places, and not longer than somebody reads, since a name may be as long [REL-12].

use troupe_model::problem::escaped;

const POINTER_BYTES_MAX: usize = 1_000;

/// A way into a value. A cheap copy.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    /// The pointer of where the way begins.
    Start(&'a str),
    Member(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

impl Place<'_> {
    /// The pointer: to what holds the place, where a name on the way is too long to be told.
    pub fn pointer(&self) -> String {
        let mut pointer = String::new();
        self.write(&mut pointer);
        pointer
    }

    /// Whether it was written to its end.
    fn write(&self, pointer: &mut String) -> bool {
        let (before, name) = match self {
            Self::Start(start) => {
                pointer.push_str(start);
                return true;
            }
            Self::Member(before, name) if name.len() > POINTER_BYTES_MAX => (before, None),
            Self::Member(before, name) => (before, Some(escaped(name))),
            Self::Item(before, place) => (before, Some(place.to_string())),
        };
        let is_whole = before.write(pointer);
        let fitting = name.filter(|name| is_whole && pointer.len() + name.len() < POINTER_BYTES_MAX);
        fitting.is_some_and(|name| {
            pointer.push('/');
            pointer.push_str(&name);
            true
        })
    }
}

/// A pointer that somebody else wrote, within the same bounds.
pub(crate) fn shortened(mut pointer: String) -> String {
    if pointer.len() > POINTER_BYTES_MAX {
        let end = pointer.as_bytes()[..POINTER_BYTES_MAX].iter().rposition(|byte| *byte == b'/').unwrap_or_default();
        pointer.truncate(end);
    }
    pointer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_ends_before_what_is_too_long() {
        let start = Place::Start("/data");
        let list = Place::Member(&start, "a/b");
        assert_eq!(Place::Item(&list, 7).pointer(), "/data/a~1b/7");
        let long = "x".repeat(POINTER_BYTES_MAX + 1);
        let member = Place::Member(&list, &long);
        assert_eq!(Place::Item(&member, 7).pointer(), "/data/a~1b");
        assert_eq!(shortened(format!("/data/{long}/7")), "/data");
    }
}
