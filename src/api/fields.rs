//! Fields that several bodies share, checked while they are read.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

const NAME_CHARS_MAX: usize = 200;
const DESCRIPTION_CHARS_MAX: usize = 10_000;
const TAGS_MAX: usize = 50;
const TAG_CHARS_MAX: usize = 50;
const PARAMETERS_MAX: usize = 200;

/// 1 to 200 characters, without spaces around them and without control characters.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 1, max_length = 200)]
pub struct Name(String);

/// Up to 10,000 characters.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, max_length = 10000)]
pub struct Description(String);

/// Up to 50 tags of up to 50 characters.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(try_from = "Vec<String>")]
#[schema(value_type = Vec<String>, max_items = 50)]
pub struct Tags(Vec<String>);

/// Parameter name → default value.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(try_from = "Map<String, Value>")]
#[schema(value_type = Object)]
pub struct Parameters(Map<String, Value>);

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let name = text.trim();
        let chars = name.chars().count();
        if chars == 0 || chars > NAME_CHARS_MAX {
            return Err(format!("a name has 1 to {NAME_CHARS_MAX} characters, this one has {chars}"));
        }
        if name.chars().any(char::is_control) {
            return Err("a name has no control characters".to_owned());
        }
        Ok(Self(name.to_owned()))
    }
}

impl TryFrom<String> for Description {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let chars = text.chars().count();
        if chars > DESCRIPTION_CHARS_MAX {
            return Err(format!("a description has up to {DESCRIPTION_CHARS_MAX} characters, this one has {chars}"));
        }
        if text.contains('\0') {
            return Err("a text may not hold the character NUL".to_owned());
        }
        Ok(Self(text))
    }
}

impl TryFrom<Vec<String>> for Tags {
    type Error = String;

    fn try_from(tags: Vec<String>) -> Result<Self, String> {
        if tags.len() > TAGS_MAX {
            return Err(format!("there may be {TAGS_MAX} tags, here are {}", tags.len()));
        }
        if let Some(tag) = tags.iter().find(|tag| tag.trim().is_empty() || tag.chars().count() > TAG_CHARS_MAX) {
            let chars = tag.chars().count();
            return Err(format!("a tag has 1 to {TAG_CHARS_MAX} characters, one here has {chars}"));
        }
        Ok(Self(tags.iter().map(|tag| tag.trim().to_owned()).collect()))
    }
}

impl TryFrom<Map<String, Value>> for Parameters {
    type Error = String;

    fn try_from(parameters: Map<String, Value>) -> Result<Self, String> {
        if parameters.len() > PARAMETERS_MAX {
            return Err(format!("there may be {PARAMETERS_MAX} parameters, here are {}", parameters.len()));
        }
        match parameters.keys().find(|name| !is_identifier(name)) {
            Some(name) => Err(format!("`{name}` is no parameter name: letters, digits and _, not first a digit")),
            None => Ok(Self(parameters)),
        }
    }
}

/// Conditions and expressions name parameters.
fn is_identifier(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty()
        && name.len() <= NAME_CHARS_MAX
        && name.chars().all(plain)
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl From<Description> for String {
    fn from(description: Description) -> Self {
        description.0
    }
}

impl From<Tags> for Vec<String> {
    fn from(tags: Tags) -> Self {
        tags.0
    }
}

impl From<Parameters> for Map<String, Value> {
    fn from(parameters: Parameters) -> Self {
        parameters.0
    }
}

/// For a field where absent means "as it was" and null means "none": use with `default`.
pub fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded() {
        assert_eq!(String::from(Name::try_from("  Flights  ".to_owned()).unwrap()), "Flights");
        assert!(Name::try_from("é".repeat(200)).is_ok());
        let error = Name::try_from("x".repeat(1_000_000)).unwrap_err();
        assert_eq!(error, "a name has 1 to 200 characters, this one has 1000000");
        assert!(Name::try_from("   ".to_owned()).is_err());
        assert!(Name::try_from("a\u{0}b".to_owned()).is_err());
    }

    #[test]
    fn parameter_names_are_identifiers() {
        let parse = |text: &str| serde_json::from_str::<Parameters>(text);
        assert!(parse(r#"{"max_rows":1}"#).is_ok());
        assert!(parse(r#"{"1st":1}"#).is_err());
        assert!(parse(r#"{"a b":1}"#).is_err());
    }
}
