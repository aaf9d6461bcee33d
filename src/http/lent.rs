//! Memory for bodies and answers that are not small: it is borrowed while they come and go [REL-12].
//!
//! A body that is not small is borrowed for before it is read, and a large answer before it is made, where its size is
//! known then. What a request has borrowed is given back when its answer is read. Whoever reads slowly while others wait
//! for that memory, or hardly at all, loses the connection.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, sleep};
use troupe_actors::{FREE_BYTES_MAX, Lender, Loan, task};

use crate::{app::App, auth::authenticate::Authenticated, problem::Problem, server::connections::Connection};

/// How often is looked whether what is lent to comes and goes.
pub const LOOK_EVERY: Duration = Duration::from_secs(2);
/// An answer is handed out in pieces: what is read of it shows how fast.
const PIECE_BYTES: usize = 64 << 10;
const AGAIN_AFTER_S: u64 = 5;

/// What a request or its answer has borrowed, among its extensions.
#[derive(Clone, Debug, Default)]
pub struct Borrowed(Arc<Mutex<Vec<Loan>>>);

impl Borrowed {
    pub fn keep(&self, loan: Loan) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(loan);
    }

    fn take(&self) -> Vec<Loan> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Where whoever sends a request borrows, if it is known who they are.
pub fn lender(app: &App, request: &Request) -> Option<Lender> {
    match request.extensions().get() {
        Some(Authenticated(Ok(caller))) => Some(app.system().lender(caller.tenant, caller.user)),
        _ => None,
    }
}

pub async fn layer(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let (borrowed, lender) = (Borrowed::default(), lender(&app, &request));
    let connection = request.extensions().get::<Connection>().cloned();
    let changes_nothing = request.method().is_safe();
    request.extensions_mut().insert(borrowed.clone());
    let mut response = next.run(request).await;
    let bytes = response.body().size_hint().lower();
    if bytes <= FREE_BYTES_MAX as u64 {
        return response;
    }
    let mut loans = borrowed.take();
    if let Some(of_answer) = response.extensions_mut().remove::<Borrowed>() {
        loans.extend(of_answer.take());
    }
    if let Some(lender) = lender.filter(|_| loans.is_empty()) {
        match lender.try_lend_answer(usize::try_from(bytes).unwrap_or(usize::MAX)) {
            Some(loan) => loans.push(loan),
            // What was changed has to be told.
            None if changes_nothing => return too_many_unread(),
            None => {}
        }
    }
    if loans.is_empty() {
        return response;
    }
    response.map(|body| Body::new(Answer::new(body, loans, connection)))
}

fn too_many_unread() -> Response {
    let detail = "there is no memory for this answer: too many large ones are being read";
    Problem::too_many(detail, AGAIN_AFTER_S)
        .solution("read the answers that are on their way, and send the request again")
        .into_response()
}

/// The body of an answer whose memory is lent.
struct Answer {
    body: Body,
    /// What came of it and is not handed out.
    rest: Bytes,
    lent: Arc<Lent>,
}

#[derive(Debug)]
struct Lent {
    loans: Vec<Loan>,
    handed_out: AtomicUsize,
}

/// What is handed out, with what is lent to the whole.
struct Piece {
    bytes: Bytes,
    _lent: Arc<Lent>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Answer {
    fn new(body: Body, loans: Vec<Loan>, connection: Option<Connection>) -> Self {
        let lent = Arc::new(Lent { loans, handed_out: AtomicUsize::new(0) });
        if let Some(connection) = connection {
            task::spawn("answer", close_if_too_slow(Arc::downgrade(&lent), connection));
        }
        Self { body, rest: Bytes::new(), lent }
    }
}

async fn close_if_too_slow(lent: Weak<Lent>, connection: Connection) {
    let began = Instant::now();
    loop {
        sleep(LOOK_EVERY).await;
        let Some(lent) = lent.upgrade() else { return };
        let bytes = lent.handed_out.load(Ordering::Relaxed);
        if lent.loans.iter().any(|loan| loan.is_too_slow(bytes, began.elapsed())) {
            tracing::debug!(bytes, "an answer is read too slowly");
            metrics::counter!("troupe_answers_too_slow_total").increment(1);
            return connection.close();
        }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        while self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                ended => return Poll::Ready(ended),
            }
        }
        let len = self.rest.len().min(PIECE_BYTES);
        let bytes = self.rest.split_to(len);
        self.lent.handed_out.fetch_add(len, Ordering::Relaxed);
        let piece = Piece { bytes, _lent: self.lent.clone() };
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (of_body, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(of_body.lower() + rest);
        if let Some(upper) = of_body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    fn answer(bytes: &Bytes) -> Answer {
        let lender = Lender::alone(1 << 20);
        let loans = lender.try_lend_answer(bytes.len()).into_iter().collect();
        Answer::new(Body::from(bytes.clone()), loans, None)
    }

    /// [REL-12] It says its size and is the same in pieces; what is handed out keeps the memory lent.
    #[tokio::test]
    async fn an_answer_in_pieces_is_the_same() {
        let bytes: Bytes = (0..200_000_u32).map(|n| n as u8).collect();
        let whole = answer(&bytes);
        assert_eq!(whole.size_hint().exact(), Some(200_000));
        assert_eq!(to_bytes(Body::new(whole), usize::MAX).await.unwrap(), bytes);

        let mut first = Body::new(answer(&bytes));
        let frame = std::future::poll_fn(|cx| Pin::new(&mut first).poll_frame(cx)).await.unwrap().unwrap();
        let piece = frame.into_data().unwrap();
        assert_eq!(piece, bytes[..PIECE_BYTES]);
        assert_eq!(first.size_hint().exact(), Some((200_000 - PIECE_BYTES) as u64));
    }
}
