//! A service that the nodes of runs call: it remembers who called when, and so knows what was really executed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use troupe_model::{Clock, SystemClock};

const REQUEST_BYTES_MAX: usize = 16 * 1024;
const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";

/// When each node of each run was executed, in milliseconds, by its idempotency key.
#[derive(Clone, Default)]
pub struct Calls(Arc<Mutex<HashMap<String, Vec<i64>>>>);

pub struct Witness {
    pub url: String,
    pub calls: Calls,
    _serving: JoinSet<()>,
}

impl Calls {
    pub fn of(&self, key: &str) -> Vec<i64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned().unwrap_or_default()
    }

    pub fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().map(Vec::len).sum()
    }

    fn note(&self, key: String) {
        let now = SystemClock.now().as_millis();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().push(now);
    }
}

impl Witness {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}/", listener.local_addr()?);
        let calls = Calls::default();
        let mut serving = JoinSet::new();
        let noted = calls.clone();
        serving.spawn(async move {
            let mut answering = JoinSet::new();
            loop {
                tokio::select! {
                    Ok((socket, _)) = listener.accept() => {
                        let calls = noted.clone();
                        answering.spawn(async move {
                            // A caller that is killed meanwhile needs no answer.
                            let _ = answer(socket, &calls).await;
                        });
                    }
                    Some(_) = answering.join_next() => {}
                }
            }
        });
        Ok(Self { url, calls, _serving: serving })
    }
}

async fn answer(mut socket: TcpStream, calls: &Calls) -> Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") && request.len() < REQUEST_BYTES_MAX {
        if socket.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let head = String::from_utf8_lossy(&request).to_lowercase();
    if let Some(key) = head.lines().find_map(|line| line.strip_prefix("idempotency-key:")) {
        calls.note(key.trim().to_owned());
    }
    socket.write_all(ANSWER).await?;
    Ok(socket.shutdown().await?)
}
