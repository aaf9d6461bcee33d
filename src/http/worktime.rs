//! A request of somebody who is signed in waits until they owe little of the server's time, and its own is owed [REL-12].

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::HttpBody,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use troupe_actors::Worktime;

use crate::{app::App, auth::authenticate::Authenticated};

/// Of an answer: it is compressed after it was made.
const BYTE_TIME: Duration = Duration::from_nanos(20);

pub async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    let caller = match request.extensions().get() {
        Some(Authenticated(Ok(caller))) => caller.asker(),
        _ => return next.run(request).await,
    };
    let Some(worktime) = app.system().worktime(caller) else { return next.run(request).await };
    worktime.wait().await;
    let response = Paid { work: Box::pin(next.run(request)), worktime: &worktime }.await;
    let bytes = response.body().size_hint().lower();
    worktime.owe(BYTE_TIME.saturating_mul(u32::try_from(bytes).unwrap_or(u32::MAX)));
    response
}

/// Work that is paid for each time it goes on.
struct Paid<'a, F> {
    work: Pin<Box<F>>,
    worktime: &'a Worktime,
}

impl<F: Future> Future for Paid<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let worktime = self.worktime;
        worktime.pay_for(|| self.work.as_mut().poll(cx))
    }
}
