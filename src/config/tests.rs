#![expect(clippy::result_large_err, reason = "the error of figment's jail")]

use figment::Jail;

use super::*;

fn load() -> Result<Config, ConfigError> {
    Config::load(&Flags::default())
}

/// [OPS-2] Defaults, file, environment, flags: later wins.
#[test]
fn later_sources_win() {
    Jail::expect_with(|jail| {
        assert_eq!(load().unwrap().server.port, 8080);
        jail.create_file("troupe.toml", "[server]\nport = 1\nrequest_timeout_s = 7")?;
        assert_eq!(load().unwrap().server.port, 1);
        jail.set_env("TROUPE_SERVER__PORT", "2");
        assert_eq!(load().unwrap().server.port, 2);
        jail.set_env("TROUPE_DEMO__PASSWORD", "00712345");
        let flags = Flags { port: Some(3), ..Flags::default() };
        let config = Config::load(&flags).unwrap();
        assert_eq!((config.server.port, config.server.request_timeout_s), (3, 7));
        assert_eq!(config.demo.password.unwrap().expose(), "00712345");
        Ok(())
    });
}

/// [OPS-2] Unknown keys are errors that name the key.
#[test]
fn unknown_keys_are_errors() {
    Jail::expect_with(|jail| {
        jail.create_file("troupe.toml", "[server]\nprot = 1")?;
        let error = load().unwrap_err().to_string();
        assert!(error.contains("`server.prot`"), "{error}");
        assert!(error.contains("troupe.toml"), "{error}");
        jail.create_file("troupe.toml", "")?;
        jail.set_env("TROUPE_SERVRE__PORT", "2");
        let error = load().unwrap_err().to_string();
        assert!(error.contains("servre"), "{error}");
        Ok(())
    });
}

/// [OPS-2] A database's timeouts are limits, and a transaction that stands still ends before a lease does.
#[test]
fn timeouts_of_the_database_are_limits() {
    for (key, wrong) in [
        ("STATEMENT_TIMEOUT_S", "0"),
        ("LOCK_TIMEOUT_S", "86401"),
        ("BUSY_TIMEOUT_S", "0"),
        ("IDLE_IN_TRANSACTION_TIMEOUT_S", "10"),
    ] {
        Jail::expect_with(|jail| {
            jail.set_env(format!("TROUPE_DATABASE__{key}"), wrong);
            let error = load().unwrap_err().to_string();
            assert!(error.contains(&format!("database.{}", key.to_lowercase())), "{error}");
            Ok(())
        });
    }
}

#[test]
fn wrong_types_name_the_key() {
    Jail::expect_with(|jail| {
        jail.set_env("TROUPE_SERVER__PORT", "many");
        let error = load().unwrap_err().to_string();
        assert!(error.contains("server.port"), "{error}");
        Ok(())
    });
}

#[test]
fn a_named_file_must_exist() {
    let flags = Flags { config: Some("nowhere.toml".into()), ..Flags::default() };
    assert!(Config::load(&flags).unwrap_err().to_string().contains("nowhere.toml"));
}

/// [SEC-2] A key that can be guessed is refused, also one that signs nothing new.
#[test]
fn short_keys_are_refused() {
    for change in [
        |config: &mut Config| config.auth.signing_key = Some(String::new().into()),
        |config: &mut Config| config.auth.former_signing_keys = vec!["x".repeat(31).into()],
        |config: &mut Config| config.metrics.token = Some("guess me".to_owned().into()),
    ] {
        let mut config = Config::defaults().unwrap();
        change(&mut config);
        let refused = config.validated().unwrap_err().to_string();
        assert!(refused.contains("32 bytes or more"), "{refused}");
    }
}

/// [OPS-2] The effective configuration can be printed, secrets masked.
#[test]
fn printing_masks_secrets() {
    let mut config = Config::defaults().unwrap();
    config.auth.signing_key = Some("hush-hush-hush-hush-hush-hush-32".to_owned().into());
    config.database.url = Some("postgres://u:sesame@h/d".to_owned().into());
    let printed = config.to_string();
    assert!(printed.contains("signing_key = \"***\""), "{printed}");
    assert!(!printed.contains("hush") && !printed.contains("sesame"), "{printed}");
    assert!(!format!("{config:?}").contains("sesame"));
}

/// [OPS-2] `config/default.toml` documents every key.
#[test]
fn every_key_is_documented() {
    let tree = serde_json::to_value(Config::defaults().unwrap()).unwrap();
    for (section, value) in tree.as_object().unwrap() {
        let keys = value.as_object().map(|keys| keys.keys().cloned().collect()).unwrap_or(vec![section.clone()]);
        for key in keys {
            let documented = DEFAULTS.lines().any(|line| {
                line.strip_prefix("# ").unwrap_or(line).strip_prefix(&key).is_some_and(|rest| rest.starts_with(" ="))
            });
            assert!(documented, "config/default.toml lacks {section}.{key}");
        }
    }
}
