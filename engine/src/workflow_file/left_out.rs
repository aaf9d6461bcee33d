//! Which values of a workflow stay at home when it is exported [CANVAS-8] [SEC-2].
//!
//! Three ways to know a secret: its node type's schema marks the field (`x-ui` with the widget `secret`); the name of a
//! header, a parameter or whatever else no schema describes says so; or it looks like one, wherever it stands.

use serde_json::{Map, Value};
use troupe_model::workflow_file::{LEFT_OUT, WorkflowFile};

use super::secret_text;
use crate::{node::Finding, place::Place, registry::Registry};

/// How many of them are told at once of a node that waits for secrets.
const FINDINGS_MAX: usize = 20;

/// Writes [`LEFT_OUT`] where secrets stand, and notes the places in the file.
pub fn leave_out_secrets(file: &mut WorkflowFile, registry: &Registry) {
    let mut search = Search::default();
    search.text(Place::Start("/name"), &mut file.name);
    search.text(Place::Start("/description"), &mut file.description);
    search.object(Place::Start("/parameters"), &mut file.parameters, Rule::Named);
    for (at, node) in file.diagram.nodes.iter_mut().enumerate() {
        let start = format!("/diagram/nodes/{at}/data");
        let data = Place::Start(&start);
        search.text(Place::Member(&data, "label"), &mut node.data.label);
        if let Some(notes) = &mut node.data.notes {
            search.text(Place::Member(&data, "notes"), notes);
        }
        let registered = registry.get(&node.data.node_type);
        let rule = registered.map_or(Rule::Named, |registered| Rule::Described(&registered.spec().config_schema));
        search.object(Place::Member(&data, "config"), &mut node.data.config, rule);
    }
    for (id, note) in &mut file.diagram.notes {
        search.value(Place::Member(&Place::Start("/diagram/notes"), id), note, Rule::Plain);
    }
    file.left_out = search.found;
}

/// The same in one config of this schema.
#[cfg(test)]
pub(super) fn in_config(config: &mut Map<String, Value>, schema: &Value) -> Vec<String> {
    let mut search = Search::default();
    search.object(Place::Start(""), config, Rule::Described(schema));
    search.found
}

/// Where a config still waits for a secret that an export left out.
pub(crate) fn still_left_out(config: &Map<String, Value>) -> Vec<Finding> {
    let mut places = Vec::new();
    config.iter().for_each(|(name, value)| collect(value, Place::Member(&Place::Start(""), name), &mut places));
    let finding = |place| {
        Finding::error("missing_credential", place, "a secret was left out here when the workflow was exported")
            .fix("fill in the secret")
    };
    places.into_iter().map(finding).collect()
}

fn collect(value: &Value, at: Place<'_>, places: &mut Vec<String>) {
    match value {
        Value::String(text) if places.len() < FINDINGS_MAX && text.contains(LEFT_OUT) => places.push(at.pointer()),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(place, item)| collect(item, Place::Item(&at, place), places));
        }
        Value::Object(object) => {
            object.iter().for_each(|(name, value)| collect(value, Place::Member(&at, name), places));
        }
        _ => {}
    }
}

/// What is known of a value.
#[derive(Clone, Copy)]
enum Rule<'a> {
    /// All of it is secret.
    Secret,
    /// Its JSON Schema.
    Described(&'a Value),
    /// Nothing: the names in it tell.
    Named,
    /// Nothing, and names tell nothing.
    Plain,
}

#[derive(Default)]
struct Search {
    found: Vec<String>,
}

impl Search {
    fn value(&mut self, at: Place<'_>, value: &mut Value, rule: Rule<'_>) {
        match (rule, value) {
            (Rule::Secret, value @ (Value::String(_) | Value::Number(_))) if *value != "" => {
                *value = Value::from(LEFT_OUT);
                self.note(at);
            }
            (_, Value::String(text)) => self.text(at, text),
            (rule, Value::Array(items)) => {
                for (place, item) in items.iter_mut().enumerate() {
                    self.value(Place::Item(&at, place), item, rule.of_item());
                }
            }
            (rule, Value::Object(object)) => self.object(at, object, rule),
            _ => {}
        }
    }

    fn object(&mut self, at: Place<'_>, object: &mut Map<String, Value>, rule: Rule<'_>) {
        for (name, value) in object {
            let rule = rule.of_member(name, value);
            self.value(Place::Member(&at, name), value, rule);
        }
    }

    fn text(&mut self, at: Place<'_>, text: &mut String) {
        if let Some(without) = secret_text::without_secrets(text, LEFT_OUT) {
            *text = without;
        }
        if text.contains(LEFT_OUT) {
            self.note(at);
        }
    }

    /// Places with too long a pointer are told as what holds them, once.
    fn note(&mut self, at: Place<'_>) {
        let pointer = at.pointer();
        if self.found.last() != Some(&pointer) {
            self.found.push(pointer);
        }
    }
}

impl<'a> Rule<'a> {
    fn of_item(self) -> Self {
        match self {
            Self::Described(schema) => within(schema, |part| part.get("items")).map_or(Self::Named, Self::marked),
            rule => rule,
        }
    }

    fn of_member(self, name: &str, value: &Value) -> Self {
        match self {
            Self::Described(schema) => {
                let property = within(schema, |part| part.get("properties")?.get(name));
                let entry = within(schema, |part| part.get("additionalProperties").filter(|entry| entry.is_object()));
                match (property, entry) {
                    (Some(property), _) => Self::marked(property),
                    (None, Some(entry)) if !is_free_text(entry) => Self::marked(entry),
                    // An entry of a map of texts, such as a header; or a setting that the type does not know.
                    (None, _) => Self::by_name(secret_text::names_an_entry(name), value),
                }
            }
            Self::Named => Self::by_name(secret_text::names_a_secret(name), value),
            rule => rule,
        }
    }

    fn marked(schema: &'a Value) -> Self {
        let is_secret = within(schema, |part| part.get("x-ui")?.get("widget").filter(|widget| *widget == "secret"));
        if is_secret.is_some() { Self::Secret } else { Self::Described(schema) }
    }

    /// Numbers that are called so, such as a `token` limit, are no secrets.
    fn by_name(is_secret: bool, value: &Value) -> Self {
        if is_secret && !value.is_number() { Self::Secret } else { Self::Named }
    }
}

fn is_free_text(schema: &Value) -> bool {
    schema.get("type").is_some_and(|kind| kind == "string") && schema.get("enum").is_none()
}

/// What a schema says, or one of those it is made of.
fn within<'a>(schema: &'a Value, look: impl Fn(&'a Value) -> Option<&'a Value> + Copy) -> Option<&'a Value> {
    let parts = || ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|kind| schema.get(kind)?.as_array()).flatten();
    look(schema).or_else(|| parts().find_map(|part| within(part, look)))
}
