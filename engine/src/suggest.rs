//! "Did you mean …?" for names that people type.

/// How different a name may be and still be what was meant, by its length.
fn tolerance(name: &str) -> usize {
    (name.chars().count() / 3).clamp(1, 3)
}

/// The known name that is nearest to `name`, when one is near enough.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= tolerance(name))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// "did you mean `x`?", or else the list of what there is.
pub fn fix<'a>(name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    const SHOWN_MAX: usize = 12;
    if let Some(nearest) = nearest(name, known.clone()) {
        return format!("did you mean `{nearest}`?");
    }
    let all: Vec<_> = known.into_iter().map(|name| format!("`{name}`")).collect();
    match all.len() {
        0 => "there is nothing to choose from".to_owned(),
        n if n > SHOWN_MAX => format!("choose one of {} and {} more", all[..SHOWN_MAX].join(", "), n - SHOWN_MAX),
        _ => format!("choose one of {}", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
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
    }
}
