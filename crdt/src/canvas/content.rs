//! Values between the document and JSON.
//!
//! JavaScript has one kind of number, so whole numbers are written and read as integers: equal canvases give equal
//! JSON whoever wrote them. What JSON cannot say (NaN, bytes, sub-documents, too deep) is null.

use std::{collections::HashMap, sync::Arc};

use serde_json::{Map as Object, Number, Value};
use yrs::{Any, Array, GetString, In, Map, MapPrelim, MapRef, Out, ReadTxn, TextPrelim, any::Number as AnyNumber};

use crate::guard::JSON_DEPTH_MAX;

/// A new text that is longer than this, or has a line break, becomes shared text.
const PLAIN_TEXT_CHARS_MAX: usize = 120;
/// Whole numbers that a double holds exactly.
const SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// The JSON of whatever stands under a key.
pub(super) fn to_json(txn: &impl ReadTxn, out: Out) -> Value {
    shared_to_json(txn, &out, 0)
}

pub(super) fn object(txn: &impl ReadTxn, map: &MapRef) -> Object<String, Value> {
    map_to_json(txn, map, 0)
}

pub(super) fn any_to_json(any: &Any) -> Value {
    plain_to_json(any, 0)
}

fn shared_to_json(txn: &impl ReadTxn, out: &Out, depth: usize) -> Value {
    if depth >= JSON_DEPTH_MAX {
        return Value::Null;
    }
    match out {
        Out::Any(any) => plain_to_json(any, depth),
        Out::YText(text) => Value::String(text.get_string(txn)),
        Out::YMap(map) => Value::Object(map_to_json(txn, map, depth)),
        Out::YArray(array) => array.iter(txn).map(|item| shared_to_json(txn, &item, depth + 1)).collect(),
        _ => Value::Null,
    }
}

fn map_to_json(txn: &impl ReadTxn, map: &MapRef, depth: usize) -> Object<String, Value> {
    sorted(map.iter(txn).map(|(key, value)| (key.to_owned(), shared_to_json(txn, &value, depth + 1))))
}

/// The document's maps have no order, and `serde_json`'s may keep the order of insertion.
fn sorted(entries: impl Iterator<Item = (String, Value)>) -> Object<String, Value> {
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    entries.into_iter().collect()
}

fn plain_to_json(any: &Any, depth: usize) -> Value {
    if depth >= JSON_DEPTH_MAX {
        return Value::Null;
    }
    match any {
        Any::Null | Any::Undefined | Any::Buffer(_) => Value::Null,
        Any::Bool(truth) => Value::Bool(*truth),
        Any::Number(AnyNumber::Int(number)) => whole(*number),
        Any::Number(AnyNumber::Float(number)) => float(*number),
        Any::String(text) => Value::String(text.to_string()),
        Any::Array(items) => items.iter().map(|item| plain_to_json(item, depth + 1)).collect(),
        Any::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| (key.clone(), plain_to_json(value, depth + 1)));
            Value::Object(sorted(entries))
        }
    }
}

fn whole(number: i64) -> Value {
    if number.unsigned_abs() <= SAFE_INTEGER as u64 { Value::from(number) } else { float(number as f64) }
}

pub(super) fn float(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() <= SAFE_INTEGER {
        return Value::from(number as i64);
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

/// JSON as it would come back from the document.
pub(super) fn normal(value: &Value) -> Value {
    normal_within(value, 0)
}

pub(super) fn normal_object(object: &Object<String, Value>, depth: usize) -> Object<String, Value> {
    object.iter().map(|(key, value)| (key.clone(), normal_within(value, depth + 1))).collect()
}

fn normal_within(value: &Value, depth: usize) -> Value {
    if depth >= JSON_DEPTH_MAX {
        return Value::Null;
    }
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => value.clone(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => whole(integer),
            (None, Some(double)) => float(double),
            (None, None) => Value::Null,
        },
        Value::Array(items) => items.iter().map(|item| normal_within(item, depth + 1)).collect(),
        Value::Object(object) => Value::Object(normal_object(object, depth)),
    }
}

/// A value and those within it.
pub(super) fn values(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(values).sum::<usize>(),
        Value::Object(object) => 1 + object.values().map(values).sum::<usize>(),
        _ => 1,
    }
}

/// Normal JSON as a plain value of the document.
pub(super) fn to_any(value: &Value) -> Any {
    match value {
        Value::Null => Any::Null,
        Value::Bool(truth) => Any::Bool(*truth),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => Any::from(integer),
            None => Any::from(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Any::from(text.as_str()),
        Value::Array(items) => Any::Array(items.iter().map(to_any).collect()),
        Value::Object(object) => Any::Map(Arc::new(
            object.iter().map(|(key, value)| (key.clone(), to_any(value))).collect::<HashMap<_, _>>(),
        )),
    }
}

/// A value that is new under its key: long texts are shared.
pub(super) fn to_entry(value: &Value) -> In {
    match value {
        Value::String(text) if is_long(text) => In::from(TextPrelim::new(text.as_str())),
        _ => In::Any(to_any(value)),
    }
}

/// A new shared map of normal JSON.
pub(super) fn to_map(object: &Object<String, Value>) -> MapPrelim {
    object.iter().map(|(key, value)| (key.as_str(), to_entry(value))).collect()
}

fn is_long(text: &str) -> bool {
    text.contains('\n') || text.chars().nth(PLAIN_TEXT_CHARS_MAX).is_some()
}
