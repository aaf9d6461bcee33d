//! What can go wrong in the store. The texts may be shown to a client: none holds SQL or another tenant's data.

use troupe_model::{RunId, WorkflowId};

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the email address is taken")]
    EmailTaken,
    #[error("a tenant needs an owner, and this is the last one")]
    LastOwner,
    /// The workspace, folder, job, workflow, run, user or tenant that a row was to belong to is not there.
    #[error("the parent does not exist")]
    NoSuchParent,
    #[error("a folder cannot be moved into itself or into a folder below it")]
    FolderCycle,
    #[error("the cursor is not one that this list gave out for this sort order")]
    Cursor,
    #[error("this list cannot be sorted by {0}")]
    Sort(&'static str),
    /// PostgreSQL's text cannot hold it.
    #[error("the text holds a NUL character")]
    NulCharacter,
    #[error("canvas update {seq} of workflow {workflow} is damaged: its checksum differs")]
    DamagedUpdate { workflow: WorkflowId, seq: i64 },
    #[error("the canvas snapshot of workflow {workflow} at {seq} is damaged: its checksum differs")]
    DamagedSnapshot { workflow: WorkflowId, seq: i64 },
    #[error("the journal of run {0} has another event in this place")]
    EventTaken(RunId),
    /// Written by another version, or by another hand.
    #[error("a stored {0} cannot be read")]
    Unreadable(&'static str, #[source] Option<serde_json::Error>),
    /// Not JSON: a map with keys that are not strings, or a number that JSON does not have.
    #[error("a value cannot be written as json")]
    Unwritable(#[source] serde_json::Error),
    /// Another key, another tenant, another purpose, or damage: on purpose it is not said which.
    #[error("the sealed value cannot be opened")]
    Sealed,
    #[error("{0}")]
    Config(&'static str),
    /// Of a PostgreSQL whose row-level security does not hold [TEN-1].
    #[error(
        "tenants are not kept apart in `{0}`: the role `troupe_tenant` must not be a superuser, bypass row-level \
         security, own that table, or find it without a policy"
    )]
    Unconfined(String),
    #[error("the folder of the database cannot be created")]
    Folder(#[source] std::io::Error),
    #[error("the database cannot be brought to this version")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let Some(database) = error.as_database_error() else { return Self::Database(error) };
        match database.code().as_deref() {
            // untranslatable_character (`\u0000` in JSONB), character_not_in_repertoire (NUL in TEXT)
            Some("22P05" | "22021") => Self::NulCharacter,
            _ if database.is_foreign_key_violation() => Self::NoSuchParent,
            _ => Self::Database(error),
        }
    }
}

/// Why the store takes no writes. It will again, without anybody's doing but what the text asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the disk of the database is full")]
    Full,
    #[error("the database is not available")]
    Away,
}

impl Error {
    /// With its causes: for the log only.
    pub fn with_causes(&self) -> String {
        let causes = std::iter::successors(Some(self as &dyn std::error::Error), |error| error.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }

    /// Whether nothing can be written just now, whatever it is.
    pub fn fault(&self) -> Option<Fault> {
        let Self::Database(error) = self else { return None };
        let Some(database) = error.as_database_error() else { return is_cut_off(error).then_some(Fault::Away) };
        let code = database.code()?;
        // SQLite's are numbers of up to four digits, PostgreSQL's have five characters.
        match code.parse() {
            Ok(number) if code.len() < 5 => fault_of_sqlite(number),
            _ => fault_of_postgres(&code),
        }
    }
}

/// Whether the database, or the way to it, is gone.
fn is_cut_off(error: &sqlx::Error) -> bool {
    use sqlx::Error::{Io, PoolTimedOut, Protocol, Tls, WorkerCrashed};
    matches!(error, Io(_) | Tls(_) | Protocol(_) | PoolTimedOut | WorkerCrashed)
}

fn fault_of_sqlite(code: u32) -> Option<Fault> {
    const FULL: u32 = 13;
    // Where SQLite cannot grow a file by other means: SQLITE_IOERR_WRITE, SQLITE_IOERR_SHMSIZE.
    const CANNOT_GROW: [u32; 2] = [778, 4874];
    // SQLITE_BUSY, LOCKED, READONLY, IOERR, CANTOPEN, of whatever kind.
    const AWAY: [u32; 5] = [5, 6, 8, 10, 14];
    match code {
        FULL => Some(Fault::Full),
        code if CANNOT_GROW.contains(&code) => Some(Fault::Full),
        code => AWAY.contains(&(code & 0xff)).then_some(Fault::Away),
    }
}

fn fault_of_postgres(code: &str) -> Option<Fault> {
    const DISK_FULL: &str = "53100";
    // A transaction that gave way, read-only after a failover, a lock that took too long, one that stood still.
    const AWAY: [&str; 5] = ["40001", "40P01", "25006", "55P03", "25P03"];
    // Connection, resources, an operator or a timeout, the system below.
    const AWAY_CLASSES: [&str; 4] = ["08", "53", "57", "58"];
    match code {
        DISK_FULL => Some(Fault::Full),
        code => {
            let is_away = AWAY.contains(&code) || AWAY_CLASSES.iter().any(|class| code.starts_with(class));
            is_away.then_some(Fault::Away)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [REL-8] A store that is read-only, cut off or out of resources is away, however it says so; a row that it does not
    /// take is no fault of the store.
    #[test]
    fn faults_are_told_from_refusals() {
        for code in ["25006", "08006", "57014", "57P01", "58030", "53300", "40001"] {
            assert_eq!(fault_of_postgres(code), Some(Fault::Away), "{code}");
        }
        for code in ["23503", "22P05", "42601", "XX000"] {
            assert_eq!(fault_of_postgres(code), None, "{code}");
        }
        assert_eq!(fault_of_postgres("53100"), Some(Fault::Full));
        for (code, fault) in [(5, Fault::Away), (517, Fault::Away), (8, Fault::Away), (266, Fault::Away)] {
            assert_eq!(fault_of_sqlite(code), Some(fault), "{code}");
        }
        for code in [13, 778, 4874] {
            assert_eq!(fault_of_sqlite(code), Some(Fault::Full), "{code}");
        }
        for code in [787, 1, 19, 2067] {
            assert_eq!(fault_of_sqlite(code), None, "{code}");
        }
    }
}
