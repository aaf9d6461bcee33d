//! Many sessions on one thread: an event loop without tasks, so that the client costs little of what it measures.

use std::{
    os::fd::{AsRawFd, OwnedFd},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use mio::{Events, Interest, Poll, Token, unix::SourceFd};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

use crate::connection::{Connection, Document, Event};

const TIMER: Token = Token(usize::MAX);
const BUFFER_BYTES: usize = 256 * 1024;
/// Few, so that an edit that is due does not wait for many reads.
const EVENTS_MAX: usize = 32;
/// Sessions that are being opened at one time: less than a server's queue of new connections.
const OPENING_MAX: usize = 100;
const OPEN_WITHIN: Duration = Duration::from_secs(120);

pub struct Fleet {
    poll: Poll,
    events: Events,
    /// Finer than epoll's milliseconds.
    timer: OwnedFd,
    buffer: Vec<u8>,
    connections: Vec<Option<Connection>>,
    /// Places of sessions that ended.
    free: Vec<usize>,
    epoch: Instant,
}

impl Fleet {
    pub fn new() -> Result<Self> {
        let poll = Poll::new()?;
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK)?;
        poll.registry().register(&mut SourceFd(&timer.as_raw_fd()), TIMER, Interest::READABLE)?;
        Ok(Self {
            poll,
            events: Events::with_capacity(EVENTS_MAX),
            timer,
            buffer: vec![0; BUFFER_BYTES],
            connections: Vec::new(),
            free: Vec::new(),
            epoch: Instant::now(),
        })
    }

    /// When the fleet was made.
    pub fn epoch(&self) -> Instant {
        self.epoch
    }

    /// Microseconds since the fleet was made.
    pub fn now_us(&self) -> u64 {
        self.epoch.elapsed().as_micros() as u64
    }

    /// Begins to open a session.
    pub fn connect(&mut self, document: &Arc<Document>) -> Result<usize> {
        let mut connection = Connection::open(document.clone()).context("a connection cannot be opened")?;
        let id = self.free.pop().unwrap_or(self.connections.len());
        self.poll.registry().register(&mut connection.stream, Token(id), Interest::READABLE | Interest::WRITABLE)?;
        if id == self.connections.len() {
            self.connections.push(None);
        }
        self.connections[id] = Some(connection);
        Ok(id)
    }

    /// Ends a session as a page that is closed does. Its place may be taken by the next.
    pub fn disconnect(&mut self, id: usize) {
        self.connections[id] = None;
        self.free.push(id);
    }

    /// Opens a session to each of the documents and waits until all have their document.
    pub fn open<'a>(
        &mut self,
        documents: impl IntoIterator<Item = &'a Arc<Document>>,
        tell: &mut dyn FnMut(usize, Event<'_>),
    ) -> Result<Vec<usize>> {
        let deadline = self.now_us() + OPEN_WITHIN.as_micros() as u64;
        let mut documents = documents.into_iter();
        let (mut opened, mut opening) = (Vec::new(), Vec::new());
        loop {
            while opening.len() < OPENING_MAX {
                let Some(document) = documents.next() else { break };
                let id = self.connect(document)?;
                opened.push(id);
                opening.push(id);
            }
            if opening.is_empty() {
                return Ok(opened);
            }
            let mut closed = None;
            self.turn(deadline, &mut |id, event| {
                if let Event::Closed(why) = &event {
                    closed = Some(why.clone());
                }
                tell(id, event);
            })?;
            ensure!(closed.is_none(), "session {}: {}", opened.len(), closed.unwrap_or_default());
            opening.retain(|id| !self.session(*id).is_synced());
            ensure!(self.now_us() < deadline, "{} of {} sessions did not open", opening.len(), opened.len());
        }
    }

    /// Waits for something to happen, at most until then, and takes it.
    pub fn turn(&mut self, until_us: u64, tell: &mut dyn FnMut(usize, Event<'_>)) -> Result<()> {
        let left = Duration::from_micros(until_us.saturating_sub(self.now_us()));
        let timeout = if left.is_zero() {
            Some(Duration::ZERO)
        } else {
            let once = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
            let setting = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: once };
            timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &setting)?;
            None
        };
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        for event in &self.events {
            let Some(Some(connection)) = self.connections.get_mut(event.token().0) else { continue };
            if event.is_writable() {
                connection.writable();
            }
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                connection.readable(&mut self.buffer, &mut |told| tell(event.token().0, told));
            }
        }
        Ok(())
    }

    /// A session that was not disconnected.
    pub fn session(&mut self, id: usize) -> &mut Connection {
        self.connections[id].as_mut().expect("nobody asks for a session that they ended")
    }

    /// Takes everything that is there now, and says how many sessions the server has ended in all.
    pub fn count_closed(&mut self) -> Result<usize> {
        while {
            self.turn(0, &mut |_, _| {})?;
            !self.events.is_empty()
        } {}
        Ok(self.connections.iter().flatten().filter(|connection| connection.is_closed()).count())
    }

    /// Stops or resumes reading a session's socket.
    pub fn set_reading(&mut self, id: usize, reading: bool) -> Result<()> {
        let Some(connection) = &mut self.connections[id] else { return Ok(()) };
        connection.reading = reading;
        // Registering anew tells of what is there already.
        let interest = if reading { Interest::READABLE | Interest::WRITABLE } else { Interest::WRITABLE };
        Ok(self.poll.registry().reregister(&mut connection.stream, Token(id), interest)?)
    }
}
