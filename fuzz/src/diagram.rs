//! Diagrams and workflow files as JSON, shown on one canvas after the other [CANVAS-2] [CANVAS-8].

use serde_json::{Deserializer, Value, from_value};
use troupe_crdt::{Applied, Canvas};
use troupe_model::{Diagram, workflow_file::WorkflowFile};

use crate::room::Client;

const DIAGRAMS_MAX: usize = 8;

/// JSON texts one after the other.
pub fn target(data: &[u8]) {
    let (mut canvas, mut log, watcher) = (Canvas::new(), Vec::new(), Client::new(11));
    for json in Deserializer::from_slice(data).into_iter::<Value>().take(DIAGRAMS_MAX) {
        let Some(diagram) = json.ok().and_then(diagram) else { break };
        let Some(update) = canvas.edit(&diagram) else { continue };
        watcher.apply(&update);
        log.push(update);
        let shown = canvas.project();
        assert_eq!(canvas.edit(&shown), None, "what is shown is shown already");
        let text = serde_json::to_string(&shown).unwrap();
        assert_eq!(serde_json::from_str::<Diagram>(&text).unwrap(), shown, "a projection survives its JSON");
    }
    // What we write ourselves passes our own guard.
    let mut guarded = Canvas::new();
    for update in &log {
        assert_eq!(guarded.apply(update), Ok(Applied::Integrated));
    }
    let reopened = Canvas::open(None, &log).unwrap();
    for other in [&guarded, &reopened] {
        assert_eq!(other.project(), canvas.project());
        assert_eq!(Client::joining(other).json(), watcher.json());
    }
}

fn diagram(json: Value) -> Option<Diagram> {
    if json.get("diagram").is_some() {
        return from_value::<WorkflowFile>(json).ok().map(|file| file.diagram);
    }
    from_value(json).ok()
}
