//! What counts as one, for whoever counts.

use std::net::{IpAddr, Ipv6Addr};

/// Who counts as one: an IPv4 address, or the 2^64 IPv6 addresses of which everybody gets all.
///
/// However an address was written, and whichever of the 2^64 it was, it is one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        // An IPv4 address may come in IPv6's clothes.
        Self(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        })
    }
}
