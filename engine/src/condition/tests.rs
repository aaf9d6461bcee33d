//! What conditions can say, what they cannot, and that no condition can do harm.

use serde_json::json;

use super::*;

fn evaluate(source: &str) -> Result<bool, ConditionError> {
    let input = json!({"rows": 3, "columns": ["a", "b"], "first": {"a": 1, "b": "x", "n": null, "f": 1.5}});
    let parameters = json!({"limit": 2, "names": ["x", "y"]});
    holds(source, vec![("input", input), ("parameters", parameters)])
}

/// [RUN-23] Conditions see rows, columns, the first row and parameters.
#[test]
fn conditions_over_rows_columns_and_parameters() {
    for yes in [
        "input.rows > parameters.limit",
        "'a' in input.columns && size(input.columns) == 2",
        "input.first.b == 'x' && input.first.n == null",
        "input.first.f > 1.0 && input.rows + 1 == 4",
        "parameters.names.exists(name, name == input.first.b)",
        "has(input.first.a) && !has(input.first.z)",
    ] {
        assert_eq!(evaluate(yes), Ok(true), "{yes}");
    }
    assert_eq!(evaluate("input.rows == 0"), Ok(false));
}

#[test]
fn a_syntax_error_is_told_with_its_position() {
    let Err(ConditionError::Syntax { line, column, .. }) = check("true &&\n  input.rows >") else {
        panic!("the condition is incomplete")
    };
    assert_eq!(line, 2);
    assert!(column > 10, "column {column}");
}

#[test]
fn what_is_not_true_or_false_is_refused() {
    assert_eq!(evaluate("input.rows"), Err(ConditionError::NotBoolean("int".to_owned())));
    assert_eq!(evaluate("input.first.z > 1"), Err(ConditionError::Evaluation("there is no field `z`".to_owned())));
    assert!(matches!(evaluate("input.rows > 'x'"), Err(ConditionError::Evaluation(_))));
    assert!(matches!(evaluate("1 / 0 == 1"), Err(ConditionError::Evaluation(_))));
}

#[test]
fn a_condition_is_bounded() {
    let long = format!("'{}' == ''", "x".repeat(LENGTH_MAX));
    assert_eq!(check(&long), Err(ConditionError::TooLong));
    assert_eq!(check("[1].all(a, [1].all(b, a == b))"), Err(ConditionError::NestedMacros));
    assert!(check("[1].filter(a, a > 0).all(b, b > 0)").is_ok());
}

/// Nothing but nesting, of every kind that the length allows: none may overflow a stack, which would end the server.
#[test]
fn a_condition_that_is_all_nesting_does_no_harm() {
    let deep = |start: &str, step: &str, end: &str, close: &str| {
        let times = (LENGTH_MAX - start.len() - end.len()) / (step.len() + close.len());
        format!("{start}{}{end}{}", step.repeat(times), close.repeat(times))
    };
    for source in [
        deep("", "(", "true", ")"),
        deep("", "[", "", "]"),
        deep("", "!", "true", ""),
        deep("", "-", "1", ""),
        deep("1", "+1", "==1", ""),
        deep("true", "&&true", "", ""),
        deep("", "true?", "true", ":true"),
        deep("input", ".a", "", ""),
        deep("input", "[0]", "", ""),
        deep("", "f(", "1", ")"),
        deep("", "{1:", "1", "}"),
        deep("", "[1].all(a,", "true", ")"),
    ] {
        // An overflow ends the process, so that both return is what is proven; to agree they need not.
        let (checked, evaluated) = (check(&source), evaluate(&source));
        assert!(checked.is_ok() || evaluated.is_err(), "what does not compile is not evaluated: {}", &source[..40]);
    }
}

#[test]
fn what_a_condition_refers_to_is_known() {
    let references = check("input.first.a > rows && [1, 2].all(x, x < input.first.b) && !has(input.first.c)").unwrap();
    assert_eq!(references.variables, ["input", "rows"]);
    assert_eq!(references.columns, ["a", "b"]);
}
