//! JSON kept as text, where what was said must come back as it was.

use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Result};

pub(crate) fn write<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(Error::Unwritable)
}

pub(crate) fn read<T: DeserializeOwned>(text: &str, what: &'static str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::Unreadable(what, Some(error)))
}

pub(crate) fn write_optional<T: Serialize>(value: Option<&T>) -> Result<Option<String>> {
    value.map(write).transpose()
}

pub(crate) fn read_optional<T: DeserializeOwned>(text: Option<&str>, what: &'static str) -> Result<Option<T>> {
    text.map(|text| read(text, what)).transpose()
}
