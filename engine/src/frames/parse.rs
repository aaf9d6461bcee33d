//! Dates and times in text: ISO 8601, or a given strftime format.

use chrono::{
    DateTime, NaiveDate, NaiveDateTime, NaiveTime,
    format::{Item, StrftimeItems},
};

const DATES: [&str; 2] = ["%Y-%m-%d", "%Y/%m/%d"];
const TIMES: [&str; 2] = ["%H:%M:%S%.f", "%H:%M"];
const DATETIMES: [&str; 4] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];

pub(super) fn is_format(format: &str) -> bool {
    StrftimeItems::new(format).all(|item| item != Item::Error)
}

pub(super) fn date(text: &str, format: Option<&str>) -> Option<NaiveDate> {
    let text = text.trim();
    any_of(format, &DATES, |format| NaiveDate::parse_from_str(text, format).ok())
}

pub(super) fn time(text: &str, format: Option<&str>) -> Option<NaiveTime> {
    let text = text.trim();
    any_of(format, &TIMES, |format| NaiveTime::parse_from_str(text, format).ok())
}

/// In UTC when the text has an offset. A date alone is its midnight.
pub(super) fn datetime(text: &str, format: Option<&str>) -> Option<NaiveDateTime> {
    let text = text.trim();
    let with_offset = match format {
        Some(format) => DateTime::parse_from_str(text, format).ok(),
        None => DateTime::parse_from_rfc3339(text).ok(),
    };
    with_offset
        .map(|datetime| datetime.naive_utc())
        .or_else(|| any_of(format, &DATETIMES, |format| NaiveDateTime::parse_from_str(text, format).ok()))
        .or_else(|| date(text, format)?.and_hms_opt(0, 0, 0))
}

fn any_of<T>(format: Option<&str>, usual: &[&str], parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    match format {
        Some(format) => parse(format),
        None => usual.iter().find_map(|format| parse(format)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_become_utc() {
        let expected = NaiveDate::from_ymd_opt(2013, 1, 1).unwrap().and_hms_opt(10, 0, 0);
        assert_eq!(datetime("2013-01-01T10:00:00Z", None), expected);
        assert_eq!(datetime("2013-01-01T05:00:00-05:00", None), expected);
        assert_eq!(datetime("01.01.2013 10:00", Some("%d.%m.%Y %H:%M")), expected);
    }
}
