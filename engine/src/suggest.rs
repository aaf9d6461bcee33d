//! "Did you mean …?" for names that people type. What it costs is bounded, whatever the names are [REL-12].

use rapidfuzz::distance::osa::{Args, BatchComparator};
use troupe_model::shown;

/// Longer names are not compared: nobody mistypes those.
const COMPARED_CHARS_MAX: usize = 64;
/// Names that one is compared with.
const CANDIDATES_MAX: usize = 1_000;

/// How different a name may be and still be what was meant, by its length.
fn tolerance(chars: usize) -> usize {
    (chars / 3).clamp(1, 3)
}

/// The known name that is nearest to `name`, when one is near enough.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = folded(name)?;
    let tolerance = tolerance(wanted.len());
    let (comparator, cutoff) = (BatchComparator::new(wanted), Args::default().score_cutoff(tolerance));
    let distance = |candidate: &'a str| {
        Some((comparator.distance_with_args(folded(candidate)?.iter().copied(), &cutoff)?, candidate))
    };
    known.into_iter().take(CANDIDATES_MAX).filter_map(distance).min_by_key(|(distance, _)| *distance).map(|near| near.1)
}

/// "did you mean `x`?", or else the list of what there is.
pub fn fix<'a>(name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    const SHOWN_MAX: usize = 12;
    if let Some(nearest) = nearest(name, known.clone()) {
        return format!("did you mean `{nearest}`?");
    }
    let mut known = known.into_iter();
    let some: Vec<_> = known.by_ref().take(SHOWN_MAX).map(|name| format!("`{}`", shown::name(name))).collect();
    match known.count() {
        _ if some.is_empty() => "there is nothing to choose from".to_owned(),
        0 => format!("choose one of {}", some.join(", ")),
        more => format!("choose one of {} and {more} more", some.join(", ")),
    }
}

/// The letters that are compared. `None`: there are too many.
fn folded(name: &str) -> Option<Vec<char>> {
    let short = name.len() <= COMPARED_CHARS_MAX || name.chars().nth(COMPARED_CHARS_MAX).is_none();
    short.then(|| name.chars().flat_map(char::to_lowercase).collect())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        assert_eq!(nearest("fliter", ["join", "filter", "limit"]), Some("filter"));
        assert_eq!(nearest("Dep_Delay", ["dep_delay", "arr_delay"]), Some("dep_delay"));
        assert_eq!(nearest("carrier", ["origin", "dest"]), None);
    }

    #[test]
    fn without_a_near_name_the_fix_lists_what_there_is() {
        assert_eq!(fix("carrier", ["origin", "dest"]), "choose one of `origin`, `dest`");
        assert_eq!(fix("carrier", []), "there is nothing to choose from");
    }

    /// [REL-12] Two names of 100 kB once took ten minutes. The bound is for a debug build on a busy machine.
    #[test]
    fn no_names_take_long_to_compare() {
        let started = Instant::now();
        let (a, b) = ("a".repeat(100_000), "b".repeat(100_000));
        let told = fix(&a, [b.as_str()]);
        assert!(told.len() < 1_000, "{} bytes", told.len());
        let alike: Vec<_> = (0..100_000).map(|n| format!("{n:05}{}", "ab".repeat(29))).collect();
        fix(&"ba".repeat(32), alike.iter().map(String::as_str));
        assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    }
}
