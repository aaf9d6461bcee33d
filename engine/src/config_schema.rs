//! JSON Schemas of node configs: made from Rust types, and checked against with messages that people understand.

#[cfg(test)]
mod tests;

use jsonschema::{
    JsonType, ValidationError,
    error::{TypeKind, ValidationErrorKind},
};
use schemars::{
    JsonSchema, Schema,
    generate::SchemaSettings,
    transform::{Transform, transform_subschemas},
};
use serde_json::{Map, Value};
use troupe_model::problem::escaped;

use crate::{node::Finding, suggest};

/// How many mistakes of one config are told at once.
const FINDINGS_MAX: usize = 20;
/// What one mistake takes besides its place, about; and what all of one value may take.
const ERROR_BYTES: usize = 300;
const ERRORS_BYTES_MAX: usize = 64 << 20;
/// Of a bad value in a message.
const SHOWN_BYTES_MAX: usize = 200;

/// The JSON Schema of a config type: everything inline, every field with a title, unknown fields refused.
pub fn of<C: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.with_transform(ForForms).into_generator().into_root_schema_for::<C>();
    schema.remove("title");
    schema.into()
}

/// The config that the schema's defaults make.
pub fn defaults(schema: &Value) -> Value {
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let with_default = properties.filter_map(|(name, field)| Some((name.clone(), field.get("default")?.clone())));
    Value::Object(with_default.filter(|(_, value)| !value.is_null()).collect())
}

/// A compiled schema.
#[derive(Debug)]
pub struct Validator {
    compiled: jsonschema::Validator,
}

impl Validator {
    /// Errors: what is wrong with the schema itself.
    pub fn new(schema: &Value) -> Result<Self, String> {
        let compiled = jsonschema::validator_for(schema).map_err(|error| error.to_string())?;
        Ok(Self { compiled })
    }

    pub fn is_valid(&self, config: &Map<String, Value>) -> bool {
        self.is_valid_value(&Value::Object(config.clone()))
    }

    /// The same of any JSON.
    pub fn is_valid_value(&self, value: &Value) -> bool {
        self.compiled.is_valid(value)
    }

    /// What is wrong with a config, in the order of the schema. Empty when it is valid.
    pub fn check(&self, config: &Map<String, Value>) -> Vec<Finding> {
        self.check_value(&Value::Object(config.clone()), FINDINGS_MAX)
    }

    /// The same of any JSON: the first mistakes, up to `findings_max` of them. Of a value so large that the mistakes in
    /// it could take the server's memory, the first one.
    pub fn check_value(&self, value: &Value, findings_max: usize) -> Vec<Finding> {
        if could_take(value, 0) > ERRORS_BYTES_MAX {
            return self.compiled.validate(value).err().iter().flat_map(findings).take(findings_max).collect();
        }
        self.compiled.iter_errors(value).flat_map(|error| findings(&error)).take(findings_max).collect()
    }
}

/// What the validator would hold if everything in the value was wrong: it keeps all mistakes, each with its place.
fn could_take(value: &Value, place_bytes: usize) -> usize {
    let within = match value {
        Value::Array(items) => items.iter().map(|item| could_take(item, place_bytes)).sum(),
        Value::Object(object) => {
            object.iter().map(|(name, value)| could_take(value, place_bytes + name.len())).sum::<usize>()
        }
        _ => 0,
    };
    ERROR_BYTES + place_bytes + within
}

fn findings(error: &ValidationError<'_>) -> Vec<Finding> {
    let at = error.instance_path().as_str();
    let invalid = |field: String, message: String| Finding::error("invalid_config", field, message);
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let fix = format!("fill in `{name}`");
            vec![
                Finding::error("missing_config", format!("{at}/{}", escaped(name)), format!("`{name}` is missing"))
                    .fix(fix),
            ]
        }
        ValidationErrorKind::MinLength { .. } | ValidationErrorKind::MinItems { .. } if is_empty(error) => {
            let name = at.rsplit('/').next().unwrap_or_default();
            vec![Finding::error("missing_config", at, format!("`{name}` is empty")).fix(format!("fill in `{name}`"))]
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
            .iter()
            .map(|name| {
                invalid(format!("{at}/{}", escaped(name)), format!("`{name}` is unknown here"))
                    .fix("remove it, or check its spelling")
            })
            .collect(),
        ValidationErrorKind::Enum { options } => {
            let options: Vec<_> = options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            vec![choice(at, error.instance(), &options)]
        }
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
            match constants(context) {
                Some(options) => {
                    let options: Vec<_> = options.iter().map(String::as_str).collect();
                    vec![choice(at, error.instance(), &options)]
                }
                None => {
                    let value = shown(error.instance());
                    vec![invalid(at.to_owned(), format!("{value} fits none of the forms allowed here"))]
                }
            }
        }
        ValidationErrorKind::Type { kind } => {
            let wanted = wanted(kind);
            let message = format!("{} is not {wanted}", shown(error.instance()));
            vec![invalid(at.to_owned(), message).fix(format!("give {wanted}"))]
        }
        ValidationErrorKind::Minimum { limit } => {
            let message = format!("{} is less than {limit}", shown(error.instance()));
            vec![invalid(at.to_owned(), message).fix(format!("give {limit} or more"))]
        }
        ValidationErrorKind::Maximum { limit } => {
            let message = format!("{} is more than {limit}", shown(error.instance()));
            vec![invalid(at.to_owned(), message).fix(format!("give {limit} or less"))]
        }
        _ => vec![invalid(at.to_owned(), error.masked_with(shown(error.instance())).to_string())],
    }
}

/// The options of an enumeration whose variants are documented: `oneOf` constants.
fn constants(context: &[Vec<ValidationError<'static>>]) -> Option<Vec<String>> {
    let constant = |branch: &Vec<ValidationError<'static>>| match branch.first().map(ValidationError::kind) {
        Some(ValidationErrorKind::Constant { expected_value }) => expected_value.as_str().map(str::to_owned),
        _ => None,
    };
    context.iter().map(constant).collect()
}

fn choice(at: &str, value: &Value, options: &[&str]) -> Finding {
    let fix = suggest::fix(value.as_str().unwrap_or_default(), options.iter().copied());
    Finding::error("invalid_config", at, format!("{} is not one of the choices", shown(value))).fix(fix)
}

/// What a JSON type is called.
fn wanted(kind: &TypeKind) -> String {
    let called = |json_type: JsonType| match json_type {
        JsonType::Null => "nothing (`null`)",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Number => "a number",
        JsonType::String => "a text",
        JsonType::Array => "a list",
        JsonType::Object => "an object",
    };
    match kind {
        TypeKind::Single(one) => called(*one).to_owned(),
        TypeKind::Multiple(all) => all.iter().map(called).collect::<Vec<_>>().join(" or "),
    }
}

/// A value as a message quotes it: its beginning, when it is long.
fn shown(value: &Value) -> String {
    let mut text = value.to_string();
    if text.len() > SHOWN_BYTES_MAX {
        text.truncate(text.floor_char_boundary(SHOWN_BYTES_MAX));
        text.push('…');
    }
    text
}

fn is_empty(error: &ValidationError<'_>) -> bool {
    match error.instance().as_ref() {
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// Titles for the form, and no field that nothing reads.
#[derive(Clone)]
struct ForForms;

impl Transform for ForForms {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        let Some(object) = schema.as_object_mut() else { return };
        if object.get("type").and_then(Value::as_str) == Some("object") {
            let is_map = object.contains_key("additionalProperties");
            if !is_map {
                object.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
        }
        let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) else { return };
        for (name, field) in properties {
            if let Some(field) = field.as_object_mut() {
                field.entry("title").or_insert_with(|| Value::String(title(name)));
            }
        }
    }
}

/// `group_by` → "Group by".
fn title(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
