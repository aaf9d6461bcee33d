//! What keeps an editor connected, as the stock provider does: comes back after every end of a session, with a growing
//! pause, and takes a connection on which nothing is heard for dead.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use rand::{RngExt, rngs::StdRng};
use tokio::{
    net::{TcpSocket, TcpStream},
    runtime::Handle,
    sync::{mpsc, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error as SocketError, Message as Frame},
};
use troupe_loadtests::api::Api;

use super::editor::{Editor, lock};

const CONNECT_WITHIN: Duration = Duration::from_secs(20);
const SILENCE_MAX: Duration = Duration::from_secs(30);
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_millis(2_500);
const LOOK_EVERY: Duration = Duration::from_millis(20);
const STALLED_BUFFER_BYTES: u32 = 64 * 1024;
/// Frames that an editor has heard and not looked at. Who stalls hears one.
const HEARD_MAX: usize = 64;

type Socket = WebSocketStream<TcpStream>;

/// What the editors of a program do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Typing,
    /// Stay connected, change nothing.
    Resting,
}

/// How sessions ended, by reason.
#[derive(Clone, Debug, Default)]
pub struct Ends(Arc<Mutex<BTreeMap<String, u64>>>);

impl Ends {
    fn count(&self, reason: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(reason).or_default() += 1;
    }

    /// Those whose reason begins so.
    pub fn count_of(&self, begin: &str) -> u64 {
        self.all().iter().filter(|(reason, _)| reason.starts_with(begin)).map(|(_, count)| count).sum()
    }

    pub fn all(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// An editor's way to its canvas.
pub struct Provider {
    pub editor: Arc<Mutex<Editor>>,
    pub workflow: String,
    pub route: Route,
    pub random: StdRng,
    pub ends: Ends,
    pub signals: Signals,
}

/// How an editor reaches its canvas.
#[derive(Clone)]
pub struct Route {
    /// Servers to try, in turn.
    pub servers: Vec<Api>,
    /// A connection on which nothing was heard for so long is given up.
    pub silence_max: Duration,
    /// Whether this one stops reading when it is told to.
    pub stalls: bool,
    /// Edits a second, of which a person does a few.
    pub rate: f64,
    /// Where the editor's work is done.
    pub runtime: Handle,
    /// Where its socket is read and written, whatever work it has.
    pub wire: Handle,
}

impl Route {
    pub fn to(servers: Vec<Api>) -> Self {
        Self {
            servers,
            silence_max: SILENCE_MAX,
            stalls: false,
            rate: 0.0,
            runtime: Handle::current(),
            wire: Handle::current(),
        }
    }

    pub fn editing(self, rate: f64) -> Self {
        Self { rate, ..self }
    }
}

/// What a program tells all of its editors.
#[derive(Clone)]
pub struct Signals {
    /// While this is false, nobody comes back.
    pub doors: watch::Receiver<bool>,
    /// While this is true, those who stall read nothing.
    pub stall: watch::Receiver<bool>,
}

impl Provider {
    /// Until the server says that coming back is of no use.
    pub async fn stay_connected(mut self) -> Result<()> {
        let mut pause = PAUSE_MIN;
        for turn in 0.. {
            self.signals.doors.wait_for(|open| *open).await.context("the program has ended")?;
            let (server, workflow) =
                (self.route.servers[turn % self.route.servers.len()].clone(), self.workflow.clone());
            let buffer = self.route.stalls.then_some(STALLED_BUFFER_BYTES);
            let connecting = async move { timeout(CONNECT_WITHIN, connect(&server, &workflow, buffer)).await };
            let end = match self.route.wire.spawn(connecting).await? {
                Err(_) => "no connection in time".to_owned(),
                Ok(Err(error)) => kind(&error),
                Ok(Ok(socket)) => {
                    let outgoing = lock(&self.editor).connect();
                    let end = self.serve(socket, outgoing).await;
                    let mut editor = lock(&self.editor);
                    if editor.is_synced() {
                        pause = PAUSE_MIN;
                    }
                    editor.disconnect();
                    end?
                }
            };
            self.ends.count(end);
            sleep(pause.mul_f64(self.random.random_range(0.5..1.0))).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
        Ok(())
    }

    /// Until the session ends: why it did. An error means that the program must end.
    async fn serve(&mut self, socket: Socket, outgoing: mpsc::Receiver<Vec<u8>>) -> Result<String> {
        let (sink, stream) = socket.split();
        let (heard, mut hearing) = mpsc::channel(if self.route.stalls { 1 } else { HEARD_MAX });
        // They end with this session.
        let (mut listening, mut writing) = (JoinSet::new(), JoinSet::new());
        listening.spawn_on(listen(stream, heard), &self.route.wire);
        writing.spawn_on(write(sink, outgoing), &self.route.wire);
        let reading = async {
            loop {
                if self.route.stalls {
                    self.signals.stall.wait_for(|stall| !*stall).await.context("the program has ended")?;
                }
                let (at, frame) = match timeout(self.route.silence_max, hearing.recv()).await {
                    Err(_) => return Ok("silence".to_owned()),
                    Ok(None) => return Ok("cut".to_owned()),
                    Ok(Some((_, Err(error)))) => return Ok(kind(&error.into())),
                    Ok(Some((at, Ok(frame)))) => (at, frame),
                };
                match frame {
                    Frame::Binary(bytes) => lock(&self.editor).receive(&bytes, at)?,
                    Frame::Close(Some(close)) => return ended(u16::from(close.code), &close.reason),
                    Frame::Close(None) => return Ok("closed without a code".to_owned()),
                    _ => {}
                }
            }
        };
        tokio::select! {
            end = reading => end,
            _ = writing.join_next() => Ok("ended here".to_owned()),
        }
    }
}

/// Hears at once what the server says, also while its editor is busy with what it said before.
async fn listen(mut stream: SplitStream<Socket>, heard: mpsc::Sender<(Instant, Result<Frame, SocketError>)>) {
    while let Ok(room) = heard.reserve().await
        && let Some(frame) = stream.next().await
    {
        room.send((Instant::now(), frame));
    }
}

/// Writes what an editor has to say, until it has no more.
async fn write(mut sink: SplitSink<Socket, Frame>, mut outgoing: mpsc::Receiver<Vec<u8>>) {
    while let Some(frame) = outgoing.recv().await {
        if sink.send(Frame::Binary(frame.into())).await.is_err() {
            // The reader is told why.
            std::future::pending::<()>().await;
        }
    }
}

/// Edits at random moments, `rate` times a second, connected or not.
pub async fn edit_on(
    editor: Arc<Mutex<Editor>>,
    mut phase: watch::Receiver<Phase>,
    mut random: StdRng,
    rate: f64,
) -> Result<()> {
    // Until then there is nothing to edit.
    while !lock(&editor).is_synced() {
        sleep(LOOK_EVERY).await;
    }
    loop {
        phase.wait_for(|phase| *phase == Phase::Typing).await.context("the program has ended")?;
        sleep(Duration::from_secs_f64(random.random_range(0.0..2.0) / rate)).await;
        if *phase.borrow() == Phase::Typing {
            lock(&editor).edit()?;
        }
    }
}

/// What a server says to one who comes with a ticket, when it does not let them in.
pub async fn knock(server: &Api, url: &str) -> Result<(u16, String)> {
    let stream = TcpStream::connect(server.address()?).await?;
    let (mut socket, _) = client_async(url, stream).await?;
    loop {
        match socket.next().await.context("cut off without a word")?? {
            Frame::Close(Some(close)) => return Ok((close.code.into(), close.reason.to_string())),
            Frame::Binary(_) => bail!("let in"),
            _ => {}
        }
    }
}

/// `receive_buffer_bytes`: of the operating system, so that it does not read in the place of one who stalls.
async fn connect(server: &Api, workflow: &str, receive_buffer_bytes: Option<u32>) -> Result<Socket> {
    let url = server.collab_url(workflow).await?;
    let socket = TcpSocket::new_v4()?;
    if let Some(bytes) = receive_buffer_bytes {
        socket.set_recv_buffer_size(bytes)?;
    }
    let stream = socket.connect(server.address()?).await?;
    stream.set_nodelay(true)?;
    Ok(client_async(url, stream).await?.0)
}

fn ended(code: u16, reason: &str) -> Result<String> {
    match code {
        // A ticket of a server that has died since.
        4401 => Ok(format!("{code} {reason}")),
        4400..4500 => bail!("closed for good with {code}: {reason}"),
        _ => Ok(format!("{code} {reason}")),
    }
}

fn kind(error: &anyhow::Error) -> String {
    match error.downcast_ref::<SocketError>() {
        Some(SocketError::Io(error)) => error.kind().to_string(),
        Some(SocketError::Protocol(_)) => "cut".to_owned(),
        Some(error) => error.to_string(),
        None => match error.root_cause().downcast_ref::<std::io::Error>() {
            Some(error) => error.kind().to_string(),
            None => format!("{error:#}"),
        },
    }
}

/// One who looks at the canvas as it is for everybody: joins, takes the whole, leaves.
pub async fn look(server: &Api, workflow: &str) -> Result<super::canvas::Canvas> {
    // A client that writes nothing may have any id.
    let mut reader = Editor::new("reader".to_owned(), 0);
    let socket = connect(server, workflow, None).await?;
    let (mut sink, mut stream) = socket.split();
    let mut outgoing = reader.connect();
    while !reader.is_synced() {
        while let Ok(frame) = outgoing.try_recv() {
            sink.send(Frame::Binary(frame.into())).await?;
        }
        match stream.next().await.context("the server cut a reader off")?? {
            Frame::Binary(bytes) => reader.receive(&bytes, Instant::now())?,
            Frame::Close(close) => bail!("a reader was closed: {close:?}"),
            _ => {}
        }
    }
    Ok(reader.canvas)
}
