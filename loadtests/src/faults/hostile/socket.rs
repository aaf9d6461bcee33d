//! A socket without manners: writes any bytes, and reads only when it likes to.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use troupe_loadtests::{
    api::Api,
    frames::{self, Opcode},
    server::upgrade,
};

/// A server that takes nothing for so long has stopped reading this one.
const WRITES_WITHIN: Duration = Duration::from_secs(45);
const OPENS_WITHIN: Duration = Duration::from_secs(20);
const HEAD_BYTES_MAX: usize = 4096;

pub struct Socket {
    stream: TcpStream,
    /// Whether it takes what the server sends. One that does not fills its outbox.
    reads: bool,
}

impl Socket {
    pub async fn canvas(api: &Api, workflow: &str) -> Result<Self> {
        Self::open(api, &format!("/collab/{workflow}?ack=1")).await
    }

    /// Opens any socket of the server.
    pub async fn open(api: &Api, path: &str) -> Result<Self> {
        timeout(OPENS_WITHIN, Self::enter(api, path)).await.context("not let in in time")?
    }

    async fn enter(api: &Api, path: &str) -> Result<Self> {
        let address = api.address()?;
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        stream.write_all(&upgrade(address, path, &api.authorization())).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            ensure!(head.len() < HEAD_BYTES_MAX, "an endless answer");
            head.push(stream.read_u8().await?);
        }
        let head = String::from_utf8_lossy(&head);
        let status = head.lines().next().unwrap_or_default();
        ensure!(status.starts_with("HTTP/1.1 101"), "{status}");
        Ok(Self { stream, reads: true })
    }

    pub fn deaf(mut self) -> Self {
        self.reads = false;
        self
    }

    /// One frame, as it must be.
    pub async fn send(&mut self, message: &[u8]) -> Result<()> {
        self.send_as(Opcode::Binary, message).await
    }

    pub async fn send_as(&mut self, opcode: Opcode, message: &[u8]) -> Result<()> {
        let mut frame = Vec::new();
        frames::write(&mut frame, opcode, [message, &[]]);
        self.write(&frame).await
    }

    /// Any bytes. An error says how this one was sent away.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let (mut reader, mut writer) = self.stream.split();
        let writing = timeout(WRITES_WITHIN, writer.write_all(bytes));
        if self.reads {
            tokio::select! {
                written = writing => written.context("nothing is taken")??,
                end = drain(&mut reader) => bail!(end?),
            }
        } else {
            writing.await.context("nothing is taken")??;
        }
        Ok(())
    }

    /// Does nothing for so long, but for reading, if it reads.
    pub async fn rest(&mut self, time: Duration) -> Result<()> {
        if !self.reads {
            tokio::time::sleep(time).await;
            return Ok(());
        }
        match timeout(time, drain(&mut self.stream)).await {
            Err(_) => Ok(()),
            Ok(end) => bail!(end?),
        }
    }
}

/// Reads until the end, and says with which code it came.
async fn drain(stream: &mut (impl AsyncReadExt + Unpin)) -> Result<String> {
    let mut buffer = vec![0; 64 * 1024];
    let mut last = Vec::new();
    loop {
        let bytes = stream.read(&mut buffer).await?;
        if bytes == 0 {
            return Ok(close_code(&last).map_or_else(|| "cut".to_owned(), |code| code.to_string()));
        }
        last.clear();
        last.extend_from_slice(&buffer[bytes.saturating_sub(CLOSE_BYTES_MAX)..bytes]);
    }
}

/// A close frame with its two bytes of header.
const CLOSE_BYTES_MAX: usize = 127;

/// The code of the close frame at the end of what came.
fn close_code(last: &[u8]) -> Option<u16> {
    let is_close = |frame: &&[u8]| frame[0] == 0x88 && usize::from(frame[1]) + 2 == frame.len();
    let frame = last.windows(4).enumerate().map(|(at, _)| &last[at..]).find(is_close)?;
    Some(u16::from_be_bytes([frame[2], frame[3]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_is_found_behind_other_frames() {
        assert_eq!(close_code(&[0x82, 2, 1, 0, 0x88, 4, 0x03, 0xf5, b'n', b'o']), Some(1013));
        assert_eq!(close_code(&[0x82, 2, 1, 0]), None);
    }
}
