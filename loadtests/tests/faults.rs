//! The short forms of the fault programs: real servers, killed, stopped, starved. `FAULTS.md` has the long forms.

use std::process::Command;

/// Runs one program; it says itself what went wrong.
fn hold(arguments: &[&str]) {
    let program = env!("CARGO_BIN_EXE_troupe-faults");
    let output = Command::new(program).args(arguments).env_remove("RUST_BACKTRACE").output().expect("it is built");
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{arguments:?} failed with {}\n{out}\n{error}", output.status);
}

/// [REL-1] [SYNC-3] [RUN-3] `kill -9` under editors and runs loses nothing that was acknowledged.
#[test]
fn killed_on_sqlite() {
    hold(&["kill", "--kills", "3", "--seed", "1"]);
}

/// [REL-1] The same on PostgreSQL.
#[test]
fn killed_on_postgres() {
    hold(&["kill", "--kills", "3", "--seed", "2", "--database", "postgres"]);
}

/// [REL-4] [SYNC-13] An owner that is stopped past its lease writes nothing when it wakes.
#[test]
fn paused_past_its_lease() {
    hold(&["pause", "--pauses", "1", "--seed", "3"]);
}

/// [REL-2] A PostgreSQL that is away costs nothing but waiting.
#[test]
fn without_a_database() {
    hold(&["database", "--rounds", "1", "--gone-s", "3", "--seed", "4"]);
}

/// [REL-6] [SYNC-7] Readers who do not read cost their outboxes, and catch up with one diff.
#[test]
fn with_stalled_readers() {
    let load = ["--readers", "20", "--stall-s", "5", "--rate", "10", "--bytes", "32768", "--outbox-bytes", "262144"];
    hold(&[&["stalled", "--seed", "5"], load.as_slice()].concat());
}

/// [REL-7] [SYNC-4] [SYNC-17] Attackers of every kind at once: the server stays, in its memory; nobody honest is closed,
/// loses an edit, or waits for long. The limits are forty times those of a release build on a quiet machine: this
/// may be a debug build beside other tests.
#[test]
fn among_attackers() {
    let people = ["--editors", "12", "--canvases", "4", "--attacked", "1", "--attackers", "18", "--seconds", "12"];
    let limits = ["--others-ms", "2000", "--attacked-ms", "10000"];
    hold(&[&["hostile", "--seed", "7"], people.as_slice(), limits.as_slice()].concat());
}

/// [REL-8] On a full disk nothing is acknowledged, and everything is saved when there is room.
#[test]
fn on_a_full_disk() {
    hold(&["disk-full", "--rounds", "1", "--full-s", "3", "--seed", "6"]);
}
