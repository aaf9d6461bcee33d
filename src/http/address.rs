//! Where a request comes from, as limits count it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, request::Parts},
};

use super::network::Network;
use crate::app::App;

impl FromRequestParts<App> for Network {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let forwarded = app.config().server.trust_forwarded_for.then(|| forwarded_for(&parts.headers)).flatten();
        Ok(forwarded.or(peer).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)).into())
    }
}

/// The last entry: the one that the trusted load balancer has added itself. What cannot be read is nobody in
/// particular, and counts as the balancer.
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let header = headers.get_all("x-forwarded-for").iter().next_back()?;
    hop(header.to_str().ok()?.rsplit(',').next()?)
}

/// An address as balancers write it: bare, with a port, in brackets, in quotes, with a zone.
fn hop(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let host = match (text.strip_prefix('['), text.split_once(':')) {
        (Some(bracketed), _) => bracketed.split_once(']')?.0,
        (None, Some((host, port))) if !port.contains(':') => host,
        (None, _) => text,
    };
    let address = host.split_once('%').map_or(host, |(address, _)| address);
    address.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use proptest::prelude::*;

    use super::*;

    fn network(text: &str) -> Option<Network> {
        hop(text).map(Network::from)
    }

    proptest! {
        /// [OPS-8] One IPv4 address counts as one, however it is written.
        #[test]
        fn an_ipv4_address_is_one_in_every_form(address: Ipv4Addr, port: u16) {
            let one = Some(Network::from(IpAddr::V4(address)));
            let mapped = address.to_ipv6_mapped();
            for form in [
                format!("{address}"),
                format!(" {address} "),
                format!("{address}:{port}"),
                format!("\"{address}\""),
                format!("\"{address}:{port}\""),
                format!("{mapped}"),
                format!("[{mapped}]"),
                format!("[{mapped}]:{port}"),
                format!("::FFFF:{address}"),
            ] {
                prop_assert_eq!(network(&form), one, "{}", form);
            }
        }

        /// [OPS-8] So does an IPv6 address, and with it all of its /64, and nobody else.
        #[test]
        fn an_ipv6_network_is_one_in_every_form(high in 1_u64 << 32.., low: u64, other: u64, port: u16) {
            let address = |low: u64| Ipv6Addr::from(u128::from(high) << 64 | u128::from(low));
            let one = Some(Network::from(IpAddr::V6(address(low))));
            let expanded = address(low).segments().map(|segment| format!("{segment:04X}")).join(":");
            let address = address(other);
            for form in [
                format!("{address}"),
                format!("{address}").to_uppercase(),
                format!("[{address}]"),
                format!("[{address}]:{port}"),
                format!("\"[{address}]:{port}\""),
                format!("{address}%eth0"),
                format!("[{address}%25en1]:{port}"),
                expanded,
            ] {
                prop_assert_eq!(network(&form), one, "{}", form);
            }
            let neighbour = Ipv6Addr::from(u128::from(high ^ 1) << 64 | u128::from(low));
            prop_assert_ne!(Some(Network::from(IpAddr::V6(neighbour))), one);
        }

        /// [OPS-8] Whatever else is there is no address.
        #[test]
        fn nothing_else_is_an_address(text in "[^0-9]*") {
            prop_assume!(!text.contains("::"));
            prop_assert_eq!(network(&text), None);
        }
    }

    /// [OPS-8] Only what the balancer added itself is believed.
    #[test]
    fn the_last_hop_counts() {
        let seen = |lines: &[&str]| {
            let lines = lines
                .iter()
                .map(|line| (axum::http::HeaderName::from_static("x-forwarded-for"), line.parse().unwrap()));
            forwarded_for(&lines.collect::<HeaderMap>()).map(|address| address.to_string())
        };
        assert_eq!(seen(&["9.9.9.9, 6.6.6.6"]).as_deref(), Some("6.6.6.6"));
        assert_eq!(seen(&["9.9.9.9", "8.8.8.8,6.6.6.6:81"]).as_deref(), Some("6.6.6.6"));
        for unknown in ["", "9.9.9.9,", "9.9.9.9, unknown", "9.9.9.9, _hidden", "9.9.9.9 8.8.8.8", "9.9.9.999"] {
            assert_eq!(seen(&[unknown]), None, "{unknown}");
        }
        assert_eq!(seen(&[]), None);
    }
}
