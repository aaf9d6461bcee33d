//! In which form a client takes a file, by its `Accept-Encoding` (RFC 9110, section 12.5.3).

use axum::http::{HeaderMap, header};

/// The later the smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coding {
    Identity,
    Gzip,
    Brotli,
}

impl Coding {
    pub const COMPRESSED: [Self; 2] = [Self::Gzip, Self::Brotli];

    /// As headers call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Brotli => "br",
        }
    }

    /// What the build adds to the name of a file.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Identity => "",
            Self::Gzip => ".gz",
            Self::Brotli => ".br",
        }
    }
}

/// The form that the client likes best of those that there are: the file as it is, if it takes none.
pub fn best(headers: &HeaderMap, there_are: impl Iterator<Item = Coding>) -> Coding {
    there_are
        .map(|coding| (weight(headers, coding), coding))
        .filter(|(weight, _)| *weight > 0)
        .max()
        .map_or(Coding::Identity, |(_, coding)| coding)
}

/// In thousandths. A file as it is may be sent unless that is said otherwise, and rather not.
fn weight(headers: &HeaderMap, coding: Coding) -> u16 {
    let unsaid = u16::from(coding == Coding::Identity);
    let said = |names: &[&str]| {
        accepted(headers)
            .find(|(name, _)| names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name)))
            .map(|(_, weight)| weight)
    };
    let own = if coding == Coding::Gzip { said(&["gzip", "x-gzip"]) } else { said(&[coding.name()]) };
    own.or_else(|| said(&["*"])).unwrap_or(unsaid)
}

/// What cannot be read is not accepted.
fn accepted(headers: &HeaderMap) -> impl Iterator<Item = (&str, u16)> {
    let items = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    items.flat_map(|value| value.split(',')).map(|item| {
        let (name, weight) = item.split_once(';').unwrap_or((item, "q=1"));
        (name.trim(), thousandths(weight.trim()).unwrap_or(0))
    })
}

fn thousandths(weight: &str) -> Option<u16> {
    let number = weight.strip_prefix("q=").or_else(|| weight.strip_prefix("Q="))?;
    let (whole, rest) = number.split_once('.').unwrap_or((number, ""));
    let isnt_digits = rest.len() > 3 || !rest.bytes().all(|byte| byte.is_ascii_digit());
    let weight = match whole {
        "0" if !isnt_digits => format!("{rest:0<3}").parse().ok()?,
        "1" if !isnt_digits && rest.bytes().all(|byte| byte == b'0') => 1_000,
        _ => return None,
    };
    Some(weight)
}

#[cfg(test)]
mod tests {
    use super::{
        Coding::{Brotli, Gzip, Identity},
        *,
    };

    fn chosen(accept: &[&'static str], there_are: &[Coding]) -> Coding {
        let headers = accept.iter().map(|value| (header::ACCEPT_ENCODING, value.parse().unwrap()));
        best(&HeaderMap::from_iter(headers), there_are.iter().copied())
    }

    #[test]
    fn the_client_gets_the_smallest_form_of_those_that_it_likes_best() {
        let all = [Identity, Gzip, Brotli];
        for (accept, expected) in [
            (vec![], Identity),
            (vec![""], Identity),
            (vec!["gzip, deflate, br, zstd"], Brotli),
            (vec!["gzip, deflate"], Gzip),
            (vec!["gzip", "br"], Brotli),
            (vec!["GZIP"], Gzip),
            (vec!["x-gzip"], Gzip),
            (vec!["br;q=0.5, gzip;q=0.8"], Gzip),
            (vec!["br;q=0.001"], Brotli),
            (vec!["br ; q=0.9 , gzip"], Gzip),
            (vec!["br;q=0, gzip"], Gzip),
            (vec!["*"], Brotli),
            (vec!["*;q=0.5, br;q=0"], Gzip),
            (vec!["identity, br;q=0.9"], Identity),
            (vec!["identity;q=0.5, br"], Brotli),
            (vec!["deflate"], Identity),
            (vec!["*;q=0"], Identity),
            (vec!["identity;q=0"], Identity),
            (vec!["br;q=2"], Identity),
            (vec!["br;q=1.001, gzip;q=0.1"], Gzip),
            (vec!["br;q=0.0001"], Identity),
            (vec!["br;quality=1"], Identity),
            (vec![";;,=,br;q=,"], Identity),
        ] {
            assert_eq!(chosen(&accept, &all), expected, "{accept:?}");
        }
    }

    #[test]
    fn what_there_is_not_is_not_chosen() {
        assert_eq!(chosen(&["br, gzip"], &[Identity]), Identity);
        assert_eq!(chosen(&["br, gzip"], &[Identity, Gzip]), Gzip);
        assert_eq!(chosen(&["identity;q=0, br"], &[Identity, Gzip]), Identity);
    }
}
