//! `troupe config`: the effective configuration as TOML, secrets masked.

use std::fmt;

use serde_json::Value;

use super::Config;

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tree = serde_json::to_value(self).map_err(|_| fmt::Error)?;
        let Value::Object(entries) = tree else { return Err(fmt::Error) };
        let (sections, plain): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(_, value)| value.is_object());
        for (key, value) in plain {
            line(f, &key, &value)?;
        }
        for (name, section) in sections {
            writeln!(f, "\n[{name}]")?;
            for (key, value) in section.as_object().into_iter().flatten() {
                line(f, key, value)?;
            }
        }
        Ok(())
    }
}

/// Scalars and lists of JSON are TOML as they stand; what is absent is a comment.
fn line(f: &mut fmt::Formatter<'_>, key: &str, value: &Value) -> fmt::Result {
    match value {
        Value::Null => writeln!(f, "# {key} is not set"),
        value => writeln!(f, "{key} = {value}"),
    }
}
