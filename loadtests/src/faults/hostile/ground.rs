//! Where the attackers go, who they are, and what they find there.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use troupe_loadtests::api::Api;

use super::{
    super::{
        editor::{Editor, lock},
        room::Room,
    },
    update::{self, Section},
};

/// What everybody on the attacked canvases can know.
pub struct Ground {
    /// Attacked canvases, on which honest people edit.
    pub targets: Vec<String>,
    /// Canvases of the attackers' own, for what would overwrite the others' work.
    pub arenas: Vec<String>,
    pub members: Vec<Api>,
    pub viewers: Vec<Api>,
    /// The clients that honest people on the attacked canvases show themselves as.
    pub honest: Vec<u64>,
}

/// Users of each role. Each has one large edit under way at most, so one user alone does less harm.
const USERS: usize = 4;
const ARENAS: usize = 4;
/// Who wrote the text of which every second character is deleted.
pub const SCARRED: u64 = 1 << 40;
pub const SCARS: u32 = 20_000;
/// What an answer to a question has to carry.
const NOTES: usize = 8;
const NOTE_BYTES: usize = 250_000;
const SAVED_WITHIN: Duration = Duration::from_secs(120);

impl Ground {
    /// `attacked`: the last so many canvases of the room.
    pub async fn prepare(api: &Api, room: &mut Room, attacked: usize) -> Result<Self> {
        let mut ground = Self {
            targets: Vec::new(),
            arenas: Vec::new(),
            members: Vec::new(),
            viewers: Vec::new(),
            honest: Vec::new(),
        };
        for number in 0..USERS {
            ground.members.push(api.colleague("member", number).await?);
            ground.viewers.push(api.colleague("viewer", number).await?);
        }
        let workspace = api.create("workspaces", json!({ "name": "Arena" })).await?;
        let workspace = troupe_loadtests::api::text(&workspace, "/id")?;
        for number in 0..ARENAS {
            ground.arenas.push(api.workflow(&workspace, &format!("Arena {number}")).await?);
        }
        let quiet = room.canvases.len() - attacked;
        for canvas in &room.canvases[quiet..] {
            ground.targets.push(canvas.workflow.clone());
            let mut first = lock(&canvas.editors[0]);
            first.bring(scarred_text())?;
            for number in 0..NOTES {
                first.bring(note(number))?;
            }
            drop(first);
            ground.honest.extend(canvas.editors.iter().map(|editor| lock(editor).client()));
        }
        room.until("the attacked canvases are prepared", SAVED_WITHIN, Editor::is_saved).await?;
        room.converge(api).await?;
        Ok(ground)
    }
}

/// So that its deletions are known to everybody, and many.
fn scarred_text() -> Vec<u8> {
    let text = "ab".repeat(SCARS as usize);
    let section = Section::new(SCARRED)
        .under("notes", "scarred", &update::shared_text())
        .first_in((SCARRED, 0), &update::letters(&text));
    update::update(vec![section], &scars())
}

/// The deletions alone, which anybody may send again.
pub fn scars() -> Vec<u8> {
    update::every_second(SCARRED, 1, SCARS)
}

fn note(number: usize) -> Vec<u8> {
    let section = Section::new(SCARRED + 1 + number as u64).under(
        "notes",
        &format!("note-{number}"),
        &update::string(&"x".repeat(NOTE_BYTES)),
    );
    update::update(vec![section], update::NOTHING_DELETED)
}
