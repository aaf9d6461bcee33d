//! The mark that an edit carries: who made it, which of theirs it is, and when it was meant to be sent. Receivers find
//! it in a frame's bytes, so they need no document, and several edits in one frame are still counted one by one.

use std::sync::LazyLock;

use memchr::memmem::Finder;

const START: &[u8] = b"~t";

static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(START));

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// 16 bits.
    pub author: u32,
    /// 24 bits.
    pub number: u32,
    /// Microseconds since the load test's epoch; 40 bits.
    pub due_us: u64,
}

impl Mark {
    pub fn text(self) -> String {
        format!("~t{:04x}{:06x}{:010x}", self.author, self.number, self.due_us)
    }

    fn parse(digits: &[u8]) -> Option<Self> {
        let author = hex(digits.get(..4)?)? as u32;
        let number = hex(digits.get(4..10)?)? as u32;
        Some(Self { author, number, due_us: hex(digits.get(10..20)?)? })
    }
}

/// All marks in a frame, in its order.
pub fn find(bytes: &[u8]) -> impl Iterator<Item = Mark> {
    FINDER.find_iter(bytes).filter_map(|at| Mark::parse(&bytes[at + START.len()..]))
}

fn hex(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |value, digit| Some(value << 4 | u64::from(char::from(*digit).to_digit(16)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_whole_mark_is_found() {
        let marks = [
            Mark { author: 0xabcd, number: 0x12_3456, due_us: 0xff_ffff_ffff },
            Mark { author: 0, number: 1, due_us: 2 },
        ];
        let bytes = format!("\u{1}{}~~t{}~t12", marks[0].text(), marks[1].text());
        assert_eq!(marks[0].text().len(), marks[1].text().len());
        assert_eq!(find(bytes.as_bytes()).collect::<Vec<_>>(), marks);
    }
}
