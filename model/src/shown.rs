//! How messages quote what people wrote: whole when it is short, its beginning when it is long [REL-12].

use std::borrow::Cow;

/// Of a name in a message.
const NAME_CHARS_MAX: usize = 100;
/// Of a message.
const TEXT_CHARS_MAX: usize = 1_000;

/// A name as a message quotes it.
pub fn name(name: &str) -> Cow<'_, str> {
    beginning(name, NAME_CHARS_MAX)
}

/// A message whose parts somebody else wrote, such as that of a library.
pub fn text(text: impl Into<String>) -> String {
    let text = text.into();
    match beginning(&text, TEXT_CHARS_MAX) {
        Cow::Borrowed(_) => text,
        Cow::Owned(short) => short,
    }
}

fn beginning(text: &str, chars_max: usize) -> Cow<'_, str> {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [REL-12] No message repeats a long name.
    #[test]
    fn a_long_name_is_quoted_by_its_beginning() {
        assert_eq!(name("dep_delay"), "dep_delay");
        assert_eq!(name(&"ä".repeat(100_000)), format!("{}…", "ä".repeat(NAME_CHARS_MAX)));
        assert_eq!(text("x".repeat(100_000)).chars().count(), TEXT_CHARS_MAX + 1);
    }
}
