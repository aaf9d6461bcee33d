//! lib0's primitives: `varUint` = 7-bit little-endian groups; `buf` = `varUint` length + bytes; `str` = UTF-8 `buf`.

use super::Malformed;

/// Reads forward through bytes that are not trusted.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub fn byte(&mut self) -> Result<u8, Malformed> {
        let (first, rest) = self.rest.split_first().ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(*first)
    }

    /// At most 53 bits: what JavaScript counts with.
    pub fn uint(&mut self) -> Result<u64, Malformed> {
        let mut number = 0;
        for shift in (0..56).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return if number < 1 << 53 { Ok(number) } else { Err(Malformed::Number) };
            }
        }
        Err(Malformed::Number)
    }

    /// At most 31 bits: clocks, lengths and counts. `yrs` counts clocks in 32 bits and subtracts them as signed.
    pub fn small(&mut self) -> Result<u32, Malformed> {
        let number = self.uint()?;
        if number > i32::MAX as u64 {
            return Err(Malformed::Number);
        }
        Ok(number as u32)
    }

    /// How many things follow, each of which takes at least `bytes_each` bytes.
    pub fn count(&mut self, bytes_each: usize) -> Result<usize, Malformed> {
        let count = self.small()? as usize;
        if count.saturating_mul(bytes_each) > self.rest.len() {
            return Err(Malformed::Count);
        }
        Ok(count)
    }

    pub fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    pub fn buf(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.small()? as usize;
        self.take(length)
    }

    pub fn str(&mut self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.buf()?).map_err(|_| Malformed::Text)
    }

    /// How many bytes are left.
    pub const fn len(&self) -> usize {
        self.rest.len()
    }

    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Nothing may follow.
    pub fn end(&self) -> Result<(), Malformed> {
        if self.is_empty() { Ok(()) } else { Err(Malformed::Leftover) }
    }
}

pub fn write_uint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub fn write_buf(out: &mut Vec<u8>, bytes: &[u8]) {
    write_uint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}
