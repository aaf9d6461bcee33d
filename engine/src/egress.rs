//! The only way to the network [NODE-35]: an HTTP client that reaches public addresses and nothing else, unless private
//! ones are allowed by configuration.
//!
//! Names are resolved here, every address is checked, and the connection goes to a checked address: there is no second
//! look-up to deceive. Redirects are followed here, one by one, with the same checks. No proxy from the environment.

mod address;
mod error;
mod redirect;
mod resolver;
#[cfg(test)]
mod tests;

use std::{net::IpAddr, sync::Arc, time::Duration};

use reqwest::{Client, Method, StatusCode, Url, header::HeaderMap, redirect::Policy};
use tokio::time::timeout;

pub use self::error::EgressError;
use self::resolver::{Blocked, Guarded};

/// Redirects followed for one request.
const REDIRECTS_MAX: usize = 5;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The size of a response body, after decompression, that is refused.
const RESPONSE_BYTES_MAX: usize = 50 * 1024 * 1024;

/// A guarded HTTP client. A cheap clone.
#[derive(Clone, Debug)]
pub struct Egress {
    client: Client,
    allow_private: bool,
    response_bytes_max: usize,
}

#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Option<String>,
    /// For the whole exchange, redirects included.
    pub timeout: Duration,
}

#[derive(Clone, Debug)]
pub struct Response {
    /// Where the last redirect led.
    pub url: Url,
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Decompressed.
    pub body: Vec<u8>,
}

impl Egress {
    /// `allow_private`: reach private, loopback and link-local addresses too.
    pub fn new(allow_private: bool) -> Result<Self, EgressError> {
        let builder = || {
            Client::builder()
                .no_proxy()
                .redirect(Policy::none())
                .connect_timeout(CONNECT_TIMEOUT)
                .user_agent(concat!("troupe/", env!("CARGO_PKG_VERSION")))
                .dns_resolver(Arc::new(Guarded { allow_private }))
        };
        let client = builder().build().or_else(|error| {
            // A bare machine has no certificates of authorities. That must not keep the server from starting.
            tracing::warn!(%error, "no system certificates: https requests of workflows will be refused");
            builder().tls_certs_only([]).build()
        });
        let client = client.map_err(|error| EgressError::Failed(error::root_cause(&error)))?;
        Ok(Self { client, allow_private, response_bytes_max: RESPONSE_BYTES_MAX })
    }

    /// The same client with another limit of the size of responses.
    #[must_use]
    pub fn with_response_bytes_max(mut self, response_bytes_max: usize) -> Self {
        self.response_bytes_max = response_bytes_max;
        self
    }

    pub async fn send(&self, request: Request) -> Result<Response, EgressError> {
        let limit = request.timeout;
        timeout(limit, self.follow(request)).await.unwrap_or(Err(EgressError::Timeout(limit)))
    }

    async fn follow(&self, mut request: Request) -> Result<Response, EgressError> {
        for _ in 0..=REDIRECTS_MAX {
            self.check(&request.url)?;
            let response = self.exchange(&request).await?;
            match redirect::next(&request, response.status(), response.headers())? {
                Some(next) => request = next,
                None => return self.read(request.url, response).await,
            }
        }
        Err(EgressError::TooManyRedirects(REDIRECTS_MAX))
    }

    /// Names are checked where they are resolved; a literal address never gets there.
    fn check(&self, url: &Url) -> Result<(), EgressError> {
        let host = match url.scheme() {
            "http" | "https" => url.host_str().unwrap_or_default(),
            _ => return Err(EgressError::InvalidUrl("only http and https can be requested".to_owned())),
        };
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match literal {
            Ok(address) if !self.allow_private && !address::is_public(address) => {
                Err(EgressError::Blocked(Blocked { host: host.to_owned() }))
            }
            _ => Ok(()),
        }
    }

    async fn exchange(&self, request: &Request) -> Result<reqwest::Response, EgressError> {
        let mut builder = self.client.request(request.method.clone(), request.url.clone());
        builder = builder.headers(request.headers.clone());
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        builder.send().await.map_err(|error| EgressError::of(&request.url, error))
    }

    async fn read(&self, url: Url, mut response: reqwest::Response) -> Result<Response, EgressError> {
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| EgressError::of(&url, error))? {
            if body.len() + chunk.len() > self.response_bytes_max {
                return Err(EgressError::TooLarge(self.response_bytes_max));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { url, status, headers, body })
    }
}
