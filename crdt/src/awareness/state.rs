//! Awareness on the wire, and what a state may be.

use serde_json::{Map as Object, Value};

use super::UserTag;
use crate::{
    Limits, Refusal,
    guard::JSON_DEPTH_MAX,
    wire::{Malformed, Reader},
};

pub(super) const GONE: &str = "null";

pub(super) struct Announced<'a> {
    pub(super) client: u64,
    pub(super) clock: u64,
    pub(super) state: &'a str,
}

impl Announced<'_> {
    pub(super) fn says_gone(&self) -> bool {
        self.state == GONE
    }
}

/// What an update says, one client after the other. The states are not looked into.
pub(super) fn read(update: &[u8]) -> Result<Vec<Announced<'_>>, Malformed> {
    let mut reader = Reader::new(update);
    let mut announced = Vec::new();
    for _ in 0..reader.count(3)? {
        announced.push(Announced { client: reader.uint()?, clock: reader.uint()?, state: reader.str()? });
    }
    reader.end()?;
    Ok(announced)
}

pub(super) fn check_size(state: &str, limits: &Limits) -> Result<(), Refusal> {
    let max = limits.awareness_state_bytes_max;
    if state.len() > max {
        return Err(Refusal::malformed(format!("an awareness state may take {max} bytes at most")));
    }
    Ok(())
}

/// The state with the server's `user` in it.
pub(super) fn tagged(state: &str, user: &UserTag) -> Result<String, Refusal> {
    let mut state: Object<String, Value> = serde_json::from_str(state)
        .map_err(|_| Refusal::malformed("an awareness state is neither a JSON object nor null"))?;
    if state.values().any(|value| !is_flat(value, JSON_DEPTH_MAX - 1)) {
        return Err(Refusal::malformed(format!("an awareness state is nested deeper than {JSON_DEPTH_MAX} levels")));
    }
    let user = serde_json::json!({ "id": user.id, "name": user.name, "color": user.color });
    state.insert("user".to_owned(), user);
    Ok(Value::Object(state).to_string())
}

fn is_flat(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| is_flat(item, levels - 1)),
        Value::Object(entries) => levels > 0 && entries.values().all(|entry| is_flat(entry, levels - 1)),
        _ => true,
    }
}
