//! The type of a column of text, from its first values.
//!
//! A type is inferred only when every value has it. Numbers with leading zeros are codes (postcodes, flight numbers)
//! and stay text. Of dates and times, only ISO 8601 is recognised.

use polars::prelude::StringChunked;

use super::{convert::Kind, parse};

type Fits = fn(&str) -> bool;

/// From the narrowest to the widest.
const CANDIDATES: [(Kind, Fits); 6] = [
    (Kind::Integer, is_integer),
    (Kind::Float, is_float),
    (Kind::Boolean, is_boolean),
    (Kind::Date, |text| parse::date(text, None).is_some()),
    (Kind::Datetime, |text| parse::datetime(text, None).is_some()),
    (Kind::Time, |text| parse::time(text, None).is_some()),
];

pub(super) fn kind(values: &StringChunked) -> Kind {
    if values.null_count() == values.len() {
        return Kind::String;
    }
    let fits = |is: Fits| values.iter().flatten().all(is);
    CANDIDATES.into_iter().find(|(_, is)| fits(*is)).map_or(Kind::String, |(kind, _)| kind)
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    plain && text.parse::<i64>().is_ok()
}

fn is_float(text: &str) -> bool {
    let number = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E');
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let code = digits.len() > 1 && digits[0] == b'0' && digits[1].is_ascii_digit();
    !code && text.bytes().all(number) && text.parse::<f64>().is_ok()
}

fn is_boolean(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(values: &[Option<&str>]) -> Kind {
        kind(&values.iter().copied().collect())
    }

    #[test]
    fn the_narrowest_type_that_all_values_have() {
        assert_eq!(kind_of(&[Some("1"), None, Some("-20")]), Kind::Integer);
        assert_eq!(kind_of(&[Some("1"), Some("0.5"), Some("1e-3")]), Kind::Float);
        assert_eq!(kind_of(&[Some("True"), Some("false")]), Kind::Boolean);
        assert_eq!(kind_of(&[Some("2013-01-01"), Some("2013-01-02")]), Kind::Date);
        assert_eq!(kind_of(&[Some("2013-01-01"), Some("2013-01-02T10:00:00Z")]), Kind::Datetime);
        assert_eq!(kind_of(&[Some("10:00"), Some("10:00:01")]), Kind::Time);
        assert_eq!(kind_of(&[Some("1"), Some("one")]), Kind::String);
        assert_eq!(kind_of(&[Some("9223372036854775808")]), Kind::Float);
        assert_eq!(kind_of(&[None]), Kind::String);
    }

    #[test]
    fn codes_stay_text() {
        assert_eq!(kind_of(&[Some("01067"), Some("10115")]), Kind::String);
        assert_eq!(kind_of(&[Some("1E5"), Some("04G")]), Kind::String);
    }
}
