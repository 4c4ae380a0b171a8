//! Lines out of bytes that come piece by piece.

/// How long one line may be; the largest object has a few MiB.
const LONGEST: usize = 32 << 20;
/// How much room is kept for the next line.
const KEPT: usize = 64 << 10;

/// What has come and is no whole line yet.
#[derive(Debug, Default)]
pub(super) struct Lines {
    bytes: Vec<u8>,
    /// Where the next line begins.
    start: usize,
    /// Up to where there is no end of a line.
    searched: usize,
}

/// A line is too long.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

impl Lines {
    /// Adds what has come.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        if self.bytes.len() + bytes.len() > LONGEST {
            return Err(TooLong);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// The next whole line that is not empty.
    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            let rest = self.bytes.get(self.searched..).unwrap_or_default();
            let Some(length) = rest.iter().position(|byte| *byte == b'\n') else {
                self.compact();
                return None;
            };
            let end = self.searched + length;
            let line = self.bytes.get(self.start..end).unwrap_or_default();
            let line = line.trim_ascii().to_vec();
            self.start = end + 1;
            self.searched = self.start;
            if !line.is_empty() {
                return Some(line);
            }
        }
    }

    fn compact(&mut self) {
        self.bytes.drain(..self.start);
        self.start = 0;
        self.searched = self.bytes.len();
        if self.bytes.len() < KEPT {
            self.bytes.shrink_to(KEPT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_out_however_they_come_in() {
        let text = b"{\"a\":1}\n\n{\"b\":2}\r\n{\"c\":";
        for size in 1..text.len() {
            let mut lines = Lines::default();
            let mut found = Vec::new();
            for piece in text.chunks(size) {
                lines.push(piece).unwrap();
                while let Some(line) = lines.next() {
                    found.push(String::from_utf8(line).unwrap());
                }
            }
            assert_eq!(found, ["{\"a\":1}", "{\"b\":2}"], "{size}");
            lines.push(b"3}\n").unwrap();
            assert_eq!(lines.next().unwrap(), b"{\"c\":3}");
        }
    }

    #[test]
    fn a_line_without_an_end_is_given_up_and_room_is_given_back() {
        let mut lines = Lines::default();
        let piece = vec![b'x'; 1 << 20];
        for _ in 0..32 {
            lines.push(&piece).unwrap();
            assert_eq!(lines.next(), None);
        }
        assert_eq!(lines.push(b"x"), Err(TooLong));
        let mut lines = Lines::default();
        lines.push(&piece).unwrap();
        lines.push(b"\n").unwrap();
        assert_eq!(lines.next().map(|line| line.len()), Some(1 << 20));
        assert_eq!(lines.next(), None);
        assert!(lines.bytes.capacity() <= KEPT);
    }
}
