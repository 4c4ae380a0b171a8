//! Dates and times, in the four layouts that go-yaml accepts.

use std::fmt;

/// A date and time with its offset from UTC; written as RFC 3339 with nanoseconds, as Go's `time.RFC3339Nano`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    nanosecond: u32,
    offset_minutes: i32,
}

impl Timestamp {
    /// Reads `2006-1-2`, `2006-1-2 15:4:5.9` (UTC) and `2006-1-2T15:4:5.9Z07:00`, with `t` or `T`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // Nearly every text with a digit first is no date, and this finds out at once.
        if text.as_bytes().get(4) != Some(&b'-') {
            return None;
        }
        let mut reader = Reader(text.as_bytes());
        let year = reader.year()?;
        reader.byte(b'-')?;
        let month = reader.number()?;
        reader.byte(b'-')?;
        let day = reader.number()?;
        if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
            return None;
        }
        let date = Self {
            year,
            month,
            day,
            hour: 0,
            minute: 0,
            second: 0,
            nanosecond: 0,
            offset_minutes: 0,
        };
        let time = match reader.0.first() {
            None => return Some(date),
            Some(b'T' | b't') => {
                reader.skip(1);
                let time = reader.time(date)?;
                Self {
                    offset_minutes: reader.offset()?,
                    ..time
                }
            }
            Some(b' ') => {
                while reader.byte(b' ').is_some() {}
                reader.time(date)?
            }
            Some(_) => return None,
        };
        reader.0.is_empty().then_some(time)
    }

    /// Whether Go can write the time as JSON: RFC 3339 knows no offset of a day.
    pub(crate) const fn is_json_time(self) -> bool {
        self.offset_minutes.abs() < 24 * 60
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
            nanosecond,
            offset_minutes,
        } = self;
        write!(
            formatter,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        if *nanosecond != 0 {
            let digits = format!("{nanosecond:09}");
            write!(formatter, ".{}", digits.trim_end_matches('0'))?;
        }
        if *offset_minutes == 0 {
            return formatter.write_str("Z");
        }
        let sign = if *offset_minutes < 0 { '-' } else { '+' };
        let minutes = offset_minutes.abs();
        write!(formatter, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

const fn days_in(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 31,
    }
}

/// What is left of the text.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn skip(&mut self, count: usize) {
        self.0 = self.0.get(count..).unwrap_or_default();
    }

    fn byte(&mut self, wanted: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[wanted])?;
        Some(())
    }

    fn digit(&mut self) -> Option<u32> {
        let (&first, rest) = self.0.split_first()?;
        let digit = char::from(first).to_digit(10)?;
        self.0 = rest;
        Some(digit)
    }

    fn year(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |year, _| Some(year * 10 + self.digit()?))
    }

    /// One digit or two.
    fn number(&mut self) -> Option<u32> {
        let first = self.digit()?;
        Some(self.digit().map_or(first, |second| first * 10 + second))
    }

    fn two_digits(&mut self) -> Option<u32> {
        Some(self.digit()? * 10 + self.digit()?)
    }

    fn time(&mut self, date: Timestamp) -> Option<Timestamp> {
        let hour = self.number()?;
        self.byte(b':')?;
        let minute = self.number()?;
        self.byte(b':')?;
        let second = self.number()?;
        let nanosecond = self.fraction();
        (hour < 24 && minute < 60 && second < 60).then_some(Timestamp {
            hour,
            minute,
            second,
            nanosecond,
            ..date
        })
    }

    /// The digits after a point or comma, as nanoseconds; digits past the ninth are dropped.
    fn fraction(&mut self) -> u32 {
        if !matches!(self.0, [b'.' | b',', b'0'..=b'9', ..]) {
            return 0;
        }
        self.skip(1);
        let (mut nanoseconds, mut unit) = (0, 100_000_000);
        while let Some(digit) = self.digit() {
            nanoseconds += digit * unit;
            unit /= 10;
        }
        nanoseconds
    }

    fn offset(&mut self) -> Option<i32> {
        if self.byte(b'Z').is_some() {
            return Some(0);
        }
        let sign = if self.byte(b'-').is_some() {
            -1
        } else {
            self.byte(b'+').map(|()| 1)?
        };
        let hours = self.two_digits()?;
        self.byte(b':')?;
        let minutes = self.two_digits()?;
        // Go lets an offset reach 24 hours and 60 minutes.
        if hours > 24 || minutes > 60 {
            return None;
        }
        Some(sign * i32::try_from(hours * 60 + minutes).ok()?)
    }
}
