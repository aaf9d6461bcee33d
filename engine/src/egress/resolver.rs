//! Resolves names for the client, and refuses those with an address that may not be reached.

use std::io;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;

use super::address;

#[derive(Debug)]
pub(super) struct Guarded {
    pub allow_private: bool,
}

/// A host that may not be reached. What its name resolves to is not told: that is knowledge of the server's own network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{host}` has no public address")]
pub struct Blocked {
    pub host: String,
}

/// A name without an address.
#[derive(Debug, thiserror::Error)]
#[error("the name `{host}` cannot be resolved")]
pub(super) struct Unresolved {
    host: String,
    source: io::Error,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = lookup_host((host.as_str(), 0)).await;
            let found: Vec<_> = found.map_err(|source| Unresolved { host: host.clone(), source })?.collect();
            // One private address among public ones is a trick, not an alternative.
            let private = found.iter().map(|found| found.ip()).find(|&address| !address::is_public(address));
            match private {
                Some(address) if !allow_private => {
                    tracing::debug!(host, %address, "a request to a private address was refused");
                    Err(Blocked { host }.into())
                }
                _ => Ok(Box::new(found.into_iter()) as Addrs),
            }
        })
    }
}
