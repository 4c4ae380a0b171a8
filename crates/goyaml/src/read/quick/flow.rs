//! Flow collections, in one line or several, without comments.

use super::{Reader, only_if};
use crate::node::Style;

impl Reader<'_> {
    /// Reads a mapping whose entries all have a `:` and a value.
    pub(super) fn flow_mapping(&mut self) -> Option<()> {
        let position = self.scanner.cursor.position();
        let first = self.open()?;
        self.scanner.cursor.advance(1);
        while self.skip_lines()? != b'}' {
            self.scalar(true)?;
            self.skip_spaces();
            only_if(self.byte() == b':')?;
            self.check_key()?;
            self.scanner.cursor.advance(1);
            self.skip_lines()?;
            self.flow_node()?;
            self.end_entry(b'}')?;
        }
        self.scanner.cursor.advance(1);
        self.close_mapping(first, Style::FLOW, position);
        Some(())
    }

    /// Reads a sequence whose entries are no pairs.
    pub(super) fn flow_sequence(&mut self) -> Option<()> {
        let position = self.scanner.cursor.position();
        let first = self.open()?;
        self.scanner.cursor.advance(1);
        while self.skip_lines()? != b']' {
            self.flow_node()?;
            self.end_entry(b']')?;
        }
        self.scanner.cursor.advance(1);
        self.close_sequence(first, Style::FLOW, position);
        Some(())
    }

    fn flow_node(&mut self) -> Option<()> {
        match self.byte() {
            b'[' => self.flow_sequence(),
            b'{' => self.flow_mapping(),
            _ => self.scalar(true),
        }
    }

    /// Moves over the comma behind an entry, which the last one need not have.
    fn end_entry(&mut self, end: u8) -> Option<()> {
        let byte = self.skip_lines()?;
        if byte == b',' {
            self.scanner.cursor.advance(1);
        }
        only_if(byte == b',' || byte == end)
    }

    /// Moves over spaces and line breaks, and returns the byte behind them.
    fn skip_lines(&mut self) -> Option<u8> {
        self.skip_spaces();
        while self.byte() == b'\n' {
            self.scanner.cursor.read_break();
            self.skip_spaces();
        }
        only_if(!self.scanner.cursor.is_document_indicator())?;
        Some(self.byte())
    }
}
