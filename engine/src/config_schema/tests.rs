//! From a config type to its form, and from a wrong config to words.

use serde::Deserialize;
use serde_json::json;

use super::*;

/// One step.
#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is looked at")]
struct Step {
    #[schemars(length(min = 1))]
    column: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Strict,
    ByName,
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is looked at")]
struct Config {
    /// How many rows to keep.
    #[serde(default = "ten")]
    rows_kept: u64,
    #[schemars(length(min = 1), extend("x-ui" = {"widget": "columns"}))]
    steps: Vec<Step>,
    mode: Mode,
    note: Option<String>,
}

fn ten() -> u64 {
    10
}

/// [NODE-1] Form and defaults come from the type.
#[test]
fn a_config_type_tells_titles_hints_and_defaults() {
    let schema = of::<Config>();
    let rows = &schema["properties"]["rows_kept"];
    assert_eq!((&rows["title"], &rows["description"]), (&json!("Rows kept"), &json!("How many rows to keep.")));
    assert_eq!(schema["properties"]["steps"]["x-ui"], json!({"widget": "columns"}));
    assert_eq!(schema["properties"]["steps"]["items"]["additionalProperties"], json!(false), "inline, and closed");
    assert_eq!(schema["required"], json!(["steps", "mode"]));
    assert_eq!(defaults(&schema), json!({"rows_kept": 10}));
}

fn mistakes(config: Value) -> Vec<(String, String, Option<String>)> {
    let validator = Validator::new(&of::<Config>()).unwrap();
    let Value::Object(config) = config else { panic!("an object") };
    assert_eq!(validator.is_valid(&config), validator.check(&config).is_empty());
    let told = |finding: Finding| (finding.field.unwrap(), finding.message, finding.fix);
    validator.check(&config).into_iter().map(told).collect()
}

fn mistake(pointer: &str, message: &str, fix: &str) -> (String, String, Option<String>) {
    (pointer.to_owned(), message.to_owned(), Some(fix.to_owned()))
}

/// [CANVAS-4] Every mistake has its place, its reason and its fix.
#[test]
fn mistakes_are_told_where_they_are() {
    let steps = json!([{"column": "a"}]);
    assert_eq!(mistakes(json!({"steps": steps, "mode": "by_name", "note": null})), []);
    assert_eq!(mistakes(json!({"steps": steps})), [mistake("/mode", "`mode` is missing", "fill in `mode`")]);
    assert_eq!(
        mistakes(json!({"steps": [], "mode": "strict"})),
        [mistake("/steps", "`steps` is empty", "fill in `steps`")]
    );
    assert_eq!(
        mistakes(json!({"steps": [{"column": ""}], "mode": "strict"})),
        [mistake("/steps/0/column", "`column` is empty", "fill in `column`")]
    );
    assert_eq!(
        mistakes(json!({"steps": steps, "mode": "strikt"})),
        [mistake("/mode", "\"strikt\" is not one of the choices", "did you mean `strict`?")]
    );
    assert_eq!(
        mistakes(json!({"steps": steps, "mode": "strict", "a/b": 1})),
        [mistake("/a~1b", "`a/b` is unknown here", "remove it, or check its spelling")]
    );
    let wrong_type = mistakes(json!({"steps": steps, "mode": "strict", "rows_kept": "many"}));
    assert_eq!(wrong_type, [mistake("/rows_kept", "\"many\" is not a whole number", "give a whole number")]);
    let too_few = mistakes(json!({"steps": steps, "mode": "strict", "rows_kept": -1}));
    assert_eq!(too_few, [mistake("/rows_kept", "-1 is less than 0", "give 0 or more")]);
}
