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
        let code = error.as_database_error().and_then(|database| database.code());
        match code.as_deref() {
            // disk_full; SQLITE_FULL, and where SQLite cannot grow a file by other means: SQLITE_IOERR_WRITE,
            // SQLITE_IOERR_SHMSIZE
            Some("53100" | "13" | "778" | "4874") => Some(Fault::Full),
            _ => self.is_transient().then_some(Fault::Away),
        }
    }

    /// Whether the same call may succeed later: the database is gone, busy, or gave way to another transaction.
    fn is_transient(&self) -> bool {
        let Self::Database(error) = self else { return false };
        match error {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed => true,
            sqlx::Error::Database(database) => matches!(
                database.code().as_deref(),
                // serialization failure, deadlock, a lock or a statement that took too long, a transaction that stood
                // still; shutdown, crash, starting up, too many connections
                Some("40001" | "40P01" | "55P03" | "57014" | "25P03" | "57P01" | "57P02" | "57P03" | "53300")
                // SQLITE_BUSY and its snapshot variant
                | Some("5" | "517")
            ),
            _ => false,
        }
    }
}
