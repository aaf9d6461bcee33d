//! Whether what is written becomes durable just now. The journal, which writes all the time, knows; who wants to write
//! and be answered is told, instead of waiting for what may take long.

use tokio::sync::watch;
use troupe_store::Fault;

/// A clone shares what is known.
#[derive(Clone, Debug)]
pub(crate) struct Durability(watch::Sender<Option<Fault>>);

impl Default for Durability {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Durability {
    pub(crate) fn fault(&self) -> Option<Fault> {
        *self.0.borrow()
    }

    /// Returns when nothing can be made durable.
    pub(crate) async fn failed(&self) -> Fault {
        match self.0.subscribe().wait_for(Option::is_some).await.map(|fault| *fault) {
            Ok(Some(fault)) => fault,
            // The sender is in `self`, and `Some` was waited for.
            _ => std::future::pending().await,
        }
    }

    pub(crate) fn set(&self, fault: Option<Fault>) {
        let changed = self.0.send_if_modified(|known| std::mem::replace(known, fault) != fault);
        if changed {
            match fault {
                Some(fault) => tracing::error!(%fault, "edits are kept in memory until the store takes them again"),
                None => tracing::info!("the store takes edits again"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [REL-8] Whoever waits is told when the store fails, and who comes later finds it so until it is well.
    #[tokio::test]
    async fn a_fault_is_told() {
        let durability = Durability::default();
        assert_eq!(durability.fault(), None);
        let (fault, ()) = tokio::join!(durability.failed(), async { durability.set(Some(Fault::Full)) });
        assert_eq!(fault, Fault::Full);
        assert_eq!(durability.fault(), Some(Fault::Full));
        durability.set(None);
        assert_eq!(durability.fault(), None);
    }
}
