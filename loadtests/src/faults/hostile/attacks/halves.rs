//! What makes a server hold memory: what does not come to its end, and what nobody reads.

use anyhow::Result;
use tokio::{io::AsyncWriteExt, net::TcpStream, time::sleep};
use troupe_loadtests::{
    api::Api,
    wire::{put_bytes, put_uint},
};

use super::Attacker;

/// Of a message that stock clients send whole.
const MESSAGE_BYTES: u64 = 1_000_000;
/// Of a diagram that REST takes.
const BODY_BYTES: usize = 15_900_000;
const SOCKETS: usize = 20;
const UPDATES: usize = 60;
const TEXT_BYTES: usize = 15_000;
const UPDATE: [u8; 2] = [0, 2];
/// Clocks before it that nobody has.
const MISSING_CLOCKS: u64 = 5;

/// Messages of almost 1 MB whose last bytes never come.
pub async fn messages(attacker: &mut Attacker) -> Result<()> {
    let mut header = vec![0x82, 0x80 | 127];
    header.extend(MESSAGE_BYTES.to_be_bytes());
    header.extend([0; 4]);
    let (mut sockets, half) = (Vec::new(), vec![0; MESSAGE_BYTES as usize - 1]);
    for _ in 0..SOCKETS {
        let mut socket = attacker.as_member().await?.deaf();
        // One that is not read from is left behind, as it is.
        if let Ok(written) = tokio::time::timeout(attacker.millis(200, 500), async {
            socket.write(&header).await?;
            socket.write(&half).await
        })
        .await
        {
            written?;
        }
        sockets.push(socket);
    }
    sleep(attacker.millis(5_000, 30_000)).await;
    Ok(())
}

/// Bodies of a request that stop before their end.
pub async fn bodies(attacker: &mut Attacker) -> Result<()> {
    let (api, path) = (attacker.member().clone(), format!("/api/v1/workflows/{}/diagram", attacker.target()));
    let (mut connections, half) = (Vec::new(), vec![b' '; BODY_BYTES - 10]);
    for _ in 0..SOCKETS {
        let mut connection = ask(&api, "PUT", &path, BODY_BYTES).await?;
        // What is not taken stays in the line.
        let _ = tokio::time::timeout(attacker.millis(200, 500), connection.write_all(&half)).await;
        connections.push(connection);
    }
    sleep(attacker.millis(5_000, 30_000)).await;
    Ok(())
}

/// Large answers that nobody reads.
pub async fn answers(attacker: &mut Attacker) -> Result<()> {
    let api = attacker.viewer().clone();
    let mut connections = Vec::new();
    for part in ["diagram", "export"].into_iter().cycle().take(SOCKETS) {
        let path = format!("/api/v1/workflows/{}/{part}", attacker.target());
        connections.push(ask(&api, "GET", &path, 0).await?);
    }
    sleep(attacker.millis(5_000, 30_000)).await;
    Ok(())
}

/// Updates that refer to what never comes.
pub async fn waiting(attacker: &mut Attacker) -> Result<()> {
    let mut socket = attacker.as_member().await?;
    for _ in 0..UPDATES {
        socket.send(&waits(attacker.fresh_client())).await?;
    }
    socket.rest(attacker.millis(1_000, 10_000)).await
}

/// An entry of a map whose client has not said what it wrote before.
fn waits(client: u64) -> Vec<u8> {
    let mut update = vec![1, 1];
    put_uint(&mut update, client);
    put_uint(&mut update, MISSING_CLOCKS);
    update.extend([0x28, 1]);
    put_bytes(&mut update, b"notes");
    put_bytes(&mut update, b"w");
    update.extend([1, 119]);
    put_bytes(&mut update, "x".repeat(TEXT_BYTES).as_bytes());
    update.push(0);
    let mut frame = UPDATE.to_vec();
    put_bytes(&mut frame, &update);
    frame
}

async fn ask(api: &Api, method: &str, path: &str, bytes: usize) -> Result<TcpStream> {
    let address = api.address()?;
    let mut connection = TcpStream::connect(address).await?;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\n{}Content-Type: application/json\r\nContent-Length: {bytes}\r\n\r\n",
        api.authorization()
    );
    connection.write_all(head.as_bytes()).await?;
    Ok(connection)
}
