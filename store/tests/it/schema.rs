//! [OPS-3] Migrations: the same names and the same tables on both engines, run by one server at a time.

use std::collections::BTreeMap;

use sqlx::{ConnectOptions, query_as};
use troupe_store::{DatabaseConfig, Engine, Store, tenants};

use crate::fixture::{self, Db, Raw, both_engines};

both_engines! {
    migrating_again_changes_nothing,
    servers_that_start_together_all_succeed,
}

async fn migrating_again_changes_nothing(db: &Db) {
    db.tenant("acme").await;
    db.store.migrate().await.unwrap();
    assert_eq!(tenants::count(&mut db.store.read_system().await.unwrap()).await.unwrap(), 1);
}

/// [OPS-3] On an empty database, each with connections of its own.
async fn servers_that_start_together_all_succeed(db: &Db) {
    let empty = db.empty().await;
    let start = || async {
        let store = Store::open(empty.config.clone()).await?;
        store.migrate().await?;
        store.close().await;
        Ok::<_, troupe_store::Error>(())
    };
    tokio::try_join!(start(), start(), start()).unwrap();
    empty.remove().await;
}

/// Table → column → (type in SQLite's words, whether it may be NULL, its place in the primary key).
type Schema = BTreeMap<String, BTreeMap<String, (String, bool, i64)>>;

/// [OPS-3] Tables, columns, types, nullability and primary keys are the same.
#[test]
fn both_engines_have_the_same_schema() {
    let mut schemas = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        fixture::run(engine, async |db: &Db| schemas.push(schema(db).await));
    }
    let [sqlite, postgres] = &schemas[..] else { unreachable!("two engines") };
    assert_eq!(sqlite.keys().collect::<Vec<_>>(), postgres.keys().collect::<Vec<_>>());
    for (table, columns) in sqlite {
        assert_eq!(columns, &postgres[table], "{table}");
    }
    assert_eq!(sqlite.len(), 17, "{:?}", sqlite.keys());
}

async fn schema(db: &Db) -> Schema {
    let rows: Vec<(String, String, String, bool, i64)> = match &db.raw {
        Raw::Sqlite(folder) => query_as(
            "SELECT tables.name, columns.name, columns.type, NOT columns.\"notnull\", columns.pk
                FROM sqlite_schema AS tables JOIN pragma_table_info(tables.name) AS columns
                WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%' AND tables.name <> '_sqlx_migrations'",
        )
        .fetch_all(&mut fixture::file(folder).connect().await.unwrap())
        .await
        .unwrap(),
        Raw::Postgres(options) => query_as(
            "SELECT c.table_name::text, c.column_name::text,
                CASE c.data_type WHEN 'uuid' THEN 'BLOB' WHEN 'bytea' THEN 'BLOB' WHEN 'bigint' THEN 'INTEGER'
                    WHEN 'jsonb' THEN 'TEXT' WHEN 'text' THEN 'TEXT' ELSE c.data_type END,
                c.is_nullable = 'YES', COALESCE(k.ordinal_position, 0)::bigint
            FROM information_schema.columns c LEFT JOIN (
                information_schema.key_column_usage k JOIN information_schema.table_constraints t
                ON t.constraint_name = k.constraint_name AND t.table_name = k.table_name
                AND t.constraint_type = 'PRIMARY KEY'
            ) ON k.table_name = c.table_name AND k.column_name = c.column_name
            WHERE c.table_schema = 'public' AND c.table_name <> '_sqlx_migrations'",
        )
        .fetch_all(&mut options.connect().await.unwrap())
        .await
        .unwrap(),
    };
    let mut schema = Schema::new();
    for (table, column, kind, nullable, key) in rows {
        schema.entry(table).or_default().insert(column, (kind, nullable, key));
    }
    schema
}

/// [OPS-3] One migration is one pair of files.
#[test]
fn migrations_have_the_same_names() {
    let names = |engine| {
        let folder = format!("{}/../migrations/{engine}", env!("CARGO_MANIFEST_DIR"));
        let mut names: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
    assert!(!names("sqlite").is_empty());
}

/// [OPS-2] A wrong database URL is a clear error, and no password is shown.
#[test]
fn a_database_is_named_by_a_url() {
    let parse = |url: &str| url.parse::<DatabaseConfig>();
    let sqlite = |path: &str| format!("{:?}", DatabaseConfig::sqlite(path));
    assert_eq!(format!("{:?}", parse("sqlite:data/troupe.db").unwrap()), sqlite("data/troupe.db"));
    assert_eq!(format!("{:?}", parse("sqlite:///srv/troupe.db").unwrap()), sqlite("/srv/troupe.db"));
    let shown = format!("{:?}", parse("postgres://troupe:hunter2@db/troupe").unwrap());
    assert!(shown.starts_with("Postgres") && !shown.contains("hunter2"), "{shown}");
    for wrong in ["", "sqlite:", "mysql://db", "troupe.db"] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}
