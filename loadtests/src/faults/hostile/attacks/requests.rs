//! What is asked beside the canvases' sockets.

use anyhow::{Result, ensure};
use rand::RngExt;
use reqwest::Method;
use serde_json::{Value, json};
use troupe_loadtests::frames::Opcode;

use super::{super::socket::Socket, Attacker, one};

const NAME_BYTES: usize = 100_000;
const DIAGRAMS: usize = 5;
/// More than any channel's name has, and less than the socket's frame.
const CHANNEL_BYTES: usize = 1_000;
const SUBSCRIPTIONS: usize = 2_000;
const READINGS: usize = 50;
const AT_ONCE: usize = 20;

/// A column that is not there, and one that is there and is called almost so.
pub async fn long_names(attacker: &mut Attacker) -> Result<()> {
    let workflow = one(&attacker.ground.arenas, attacker.place).clone();
    for _ in 0..DIAGRAMS {
        let letter = char::from(attacker.random.random_range(b'a'..=b'z'));
        let (there, missing) = (letter.to_string().repeat(NAME_BYTES), "~".repeat(NAME_BYTES));
        let derived = json!({ "columns": [{ "name": there, "expression": "1" }] });
        let diagram = json!({
            "nodes": [
                node("r", "read_file", json!({ "path": "flights.csv.gz", "format": "csv" })),
                node("d", "derive", derived),
                node("s", "select", json!({ "columns": [{ "column": missing }] })),
            ],
            "edges": [edge("e1", "r", "d"), edge("e2", "d", "s")],
        });
        let path = format!("workflows/{workflow}/diagram");
        let answer = attacker.member().ask(Method::PUT, &path, Some(&diagram)).await?;
        ensure!(answer.status.is_success(), "answered {}", answer.status);
    }
    Ok(())
}

/// Each answer is made of the whole canvas.
pub async fn readings(attacker: &mut Attacker) -> Result<()> {
    let (viewer, workflow) = (attacker.viewer(), attacker.target());
    for _ in 0..READINGS {
        let asked = ["diagram", "export", "authors", "changes"].map(|part| {
            let path = format!("workflows/{workflow}/{part}");
            async move { viewer.skim(&path).await }
        });
        for answer in futures::future::join_all(asked).await {
            let status = answer?;
            ensure!(status.is_success(), "answered {status}");
        }
    }
    Ok(())
}

fn node(id: &str, node_type: &str, config: Value) -> Value {
    let data = json!({ "label": id, "nodeType": node_type, "config": config });
    json!({ "id": id, "type": "custom-node", "position": { "x": 0, "y": 0 }, "data": data })
}

fn edge(id: &str, source: &str, target: &str) -> Value {
    json!({ "id": id, "source": source, "target": target, "sourceHandle": "out", "targetHandle": "in" })
}

/// To what there is, to what there is not, from its beginning, and back.
pub async fn subscriptions(attacker: &mut Attacker) -> Result<()> {
    let mut socket = Socket::open(attacker.viewer(), "/ws").await?;
    for number in 0..SUBSCRIPTIONS {
        let channel = match number % 3 {
            0 => format!("workflow:{}", attacker.target()),
            1 => format!("run:00000000-0000-7000-8000-{number:012}"),
            _ => "x".repeat(CHANNEL_BYTES),
        };
        let kind = if attacker.random.random_bool(0.5) { "subscribe" } else { "unsubscribe" };
        let message = json!({ "type": kind, "channel": channel, "last_seq": 0 }).to_string();
        socket.send_as(Opcode::Text, message.as_bytes()).await?;
        if number.is_multiple_of(AT_ONCE) {
            socket.rest(attacker.millis(5, 20)).await?;
        }
    }
    Ok(())
}
