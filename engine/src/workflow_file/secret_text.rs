//! What names a secret, and what looks like one.

use std::{borrow::Cow, sync::LazyLock};

use regex::{Captures, Regex};

/// Last words of names whose values are secret.
const WORDS: [&str; 19] = [
    "auth",
    "authorization",
    "bearer",
    "cookie",
    "credential",
    "credentials",
    "jwt",
    "otp",
    "pass",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "pwd",
    "secret",
    "secrets",
    "sig",
    "signature",
];
/// Ends of such words, where one word was made of several.
const ENDS: [&str; 5] = ["apikey", "accesskey", "token", "password", "secret"];
/// Words that make a secret of a `key`.
const KEYS: [&str; 13] = [
    "access",
    "account",
    "api",
    "app",
    "auth",
    "encryption",
    "functions",
    "license",
    "master",
    "private",
    "secret",
    "signing",
    "subscription",
];

/// Each finds a `secret`; one with a `name`, or of an `entry`, counts only when that says so.
static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        // The user part of an address: `postgres://user:password@host`, `https://token@host`.
        r#"(?i)\b[a-z][a-z0-9+.-]*://[^\s/?\#:@"']*:(?<secret>[^\s/?\#@"']+)@"#,
        r#"(?i)\bhttps?://(?<secret>[^\s/?\#:@"']+)@"#,
        // A parameter of an address or a form: `?api_key=…`.
        r#"(?:^|[?&;])(?<entry>[A-Za-z0-9_.\-]{1,64})=(?<secret>[^&;\s"'<>\#]+)"#,
        // A member of JSON text.
        r#""(?<name>[^"\\]{1,64})"\s*:\s*"(?<secret>(?:[^"\\]|\\.)+)""#,
        // What is sent as `Authorization`.
        r"(?i)\bbearer\s+(?<secret>[a-z0-9._~+/=-]{16,})",
        r"(?i)\bbasic\s+(?<secret>[a-z0-9+/]{8,}={1,2}|[a-z0-9+/]{24,})",
        // Keys that say what they are: of OpenAI, Stripe, GitHub, GitLab, Slack, AWS, Google, …; web tokens.
        r"\b(?<secret>sk-[A-Za-z0-9_-]{16,}|[sr]k_(?:live|test)_[A-Za-z0-9]{10,}|gh[opsur]_[A-Za-z0-9]{20,})",
        r"\b(?<secret>github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeprs]-[A-Za-z0-9-]{10,}|npm_[A-Za-z0-9]{30,})",
        r"\b(?<secret>(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[\w-]{30,}|hf_[A-Za-z0-9]{20,}|SG\.[\w-]{16,}\.[\w-]{16,})",
        r"\b(?<secret>eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)",
        r"(?<secret>-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|\z))",
    ]
    .map(|pattern| Regex::new(pattern).expect("these patterns are tested"))
    .into()
});

/// Whether what is called so is a secret, such as `x-api-key`, `clientSecret` and `DB_PASSWORD`.
pub(super) fn names_a_secret(name: &str) -> bool {
    let words = words(name);
    match words.as_slice() {
        [.., before, last] if last == "key" => KEYS.contains(&before.as_str()),
        [.., last] => WORDS.contains(&last.as_str()) || ENDS.iter().any(|end| last.ends_with(end)),
        [] => false,
    }
}

/// The same of an entry that is sent somewhere, where a `key` opens something.
pub(super) fn names_an_entry(name: &str) -> bool {
    names_a_secret(name) || name.eq_ignore_ascii_case("key")
}

/// The text with `instead` in the place of each secret. `None`: there is none.
pub(super) fn without_secrets(text: &str, instead: &str) -> Option<String> {
    let mut clean = Cow::Borrowed(text);
    for pattern in PATTERNS.iter() {
        if let Cow::Owned(replaced) = pattern.replace_all(&clean, |found: &Captures<'_>| hidden(found, instead)) {
            clean = Cow::Owned(replaced);
        }
    }
    (clean != text).then(|| clean.into_owned())
}

fn hidden(found: &Captures<'_>, instead: &str) -> String {
    let all = &found[0];
    let is_meant = found.name("name").is_none_or(|name| names_a_secret(name.as_str()))
        && found.name("entry").is_none_or(|entry| names_an_entry(entry.as_str()));
    let (Some(whole), Some(secret), true) = (found.get(0), found.name("secret"), is_meant) else {
        return all.to_owned();
    };
    let (before, after) = (secret.start() - whole.start(), secret.end() - whole.start());
    format!("{}{instead}{}", &all[..before], &all[after..])
}

/// `X-Api-Key` and `xApiKey` → `x`, `api`, `key`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for letter in name.chars() {
        let starts_word = letter.is_uppercase() && was_lower;
        if starts_word || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        was_lower = letter.is_lowercase() || letter.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    words
}
