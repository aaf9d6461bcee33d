//! The worst known things, each by its name.

mod edits;
mod halves;
mod presence;
mod questions;
mod requests;
mod transport;

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use clap::ValueEnum;
use rand::{RngExt, rngs::StdRng};
use troupe_loadtests::api::Api;

use super::{ground::Ground, socket::Socket};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Attack {
    /// A list of very many values, each an item of its own.
    SingleValues,
    /// One key that is overwritten very often in one frame.
    OverwrittenKey,
    /// A text in very many pieces, front to back or back to front.
    TextInPieces,
    /// A long text of which every second character is deleted.
    HalfDeleted,
    /// Deletions that the canvas has, sent again by a viewer.
    KnownDeletions,
    /// Very many items at the beginning of one list, by a client with a higher id than those who did the same before.
    FirstPlaces,
    /// Elements that are no maps.
    WrongShapes,
    /// Questions for the document with invented and half state vectors, by sockets that never read.
    Questions,
    /// Questions for everybody's presence.
    PresenceQuestions,
    /// As many presence states as a session may have, each as large as it may be.
    PresenceFlood,
    /// Somebody else's presence.
    PresenceTakeover,
    /// Frames that are declared as huge, and come drop by drop or never.
    DrippedFrames,
    /// Parts of a frame that do not fit together.
    LyingParts,
    /// Parts of a frame whose last never comes.
    EndlessParts,
    /// A WebSocket message in fragments whose last never comes.
    EndlessFragments,
    /// Messages of almost 1 MB whose last bytes never come.
    HalfMessages,
    /// Bodies of almost 16 MB whose last bytes never come.
    HalfBodies,
    /// Large answers of REST that nobody reads.
    UnreadAnswers,
    /// Updates that wait for what never comes.
    WaitingUpdates,
    /// Comes and goes.
    Churn,
    /// Diagrams with names so long that looking for similar ones is dear.
    LongNames,
    /// All that can be read of an attacked canvas by REST, several times at once.
    Readings,
    /// Subscriptions on the event socket.
    Subscriptions,
}

/// One of them.
pub struct Attacker {
    pub attack: Attack,
    pub number: usize,
    /// Among those who do the same.
    pub place: usize,
    pub ground: Arc<Ground>,
    pub random: StdRng,
}

impl Attacker {
    /// Does it until sent away, or until it was enough for one visit. The error says how it ended.
    pub async fn visit(&mut self) -> Result<()> {
        match self.attack {
            Attack::SingleValues => edits::single_values(self).await,
            Attack::OverwrittenKey => edits::overwritten_key(self).await,
            Attack::TextInPieces => edits::text_in_pieces(self).await,
            Attack::HalfDeleted => edits::half_deleted(self).await,
            Attack::KnownDeletions => edits::known_deletions(self).await,
            Attack::FirstPlaces => edits::first_places(self).await,
            Attack::WrongShapes => edits::wrong_shapes(self).await,
            Attack::Questions => questions::of_the_deaf(self).await,
            Attack::PresenceQuestions => questions::for_presence(self).await,
            Attack::PresenceFlood => presence::flood(self).await,
            Attack::PresenceTakeover => presence::take_over(self).await,
            Attack::DrippedFrames => transport::drip(self).await,
            Attack::LyingParts => transport::lying_parts(self).await,
            Attack::EndlessParts => transport::endless_parts(self).await,
            Attack::EndlessFragments => transport::endless_fragments(self).await,
            Attack::HalfMessages => halves::messages(self).await,
            Attack::HalfBodies => halves::bodies(self).await,
            Attack::UnreadAnswers => halves::answers(self).await,
            Attack::WaitingUpdates => halves::waiting(self).await,
            Attack::Churn => transport::churn(self).await,
            Attack::LongNames => requests::long_names(self).await,
            Attack::Readings => requests::readings(self).await,
            Attack::Subscriptions => requests::subscriptions(self).await,
        }
    }

    fn member(&self) -> &Api {
        one(&self.ground.members, self.place)
    }

    fn viewer(&self) -> &Api {
        one(&self.ground.viewers, self.place)
    }

    fn target(&self) -> &String {
        one(&self.ground.targets, self.place)
    }

    async fn as_member(&self) -> Result<Socket> {
        Socket::canvas(self.member(), self.target()).await
    }

    async fn as_viewer(&self) -> Result<Socket> {
        Socket::canvas(self.viewer(), self.target()).await
    }

    /// A client that nobody has.
    fn fresh_client(&mut self) -> u64 {
        self.random.random_range(1 << 41..1 << 53)
    }

    fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.random.random_range(from..to))
    }
}

/// Those who do the same are spread over all.
fn one<T>(all: &[T], place: usize) -> &T {
    &all[place % all.len()]
}
