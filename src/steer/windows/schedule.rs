//! Schedules of cron, as robfig/cron reads them for Argo CD: five fields, no descriptors.
//!
//! Crates that read cron know more (`7` for Sunday, `L`, `W`, `#`, ranges over the end of a week), and differ where it
//! matters: here a field in which `*` or `?` stands without a step counts as any, and where neither day of the month nor
//! day of the week does, one of them is enough. So the schedule is read here, into the same sets of numbers.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::clock;

/// For so many years a next time is looked for.
// robfig/cron: SpecSchedule.Next
const YEARS: i16 = 5;

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// When something happens.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    minutes: Numbers,
    hours: Numbers,
    days: Numbers,
    months: Numbers,
    weekdays: Numbers,
    zone: TimeZone,
}

/// The numbers of one field.
#[derive(Clone, Copy, Debug, Default)]
struct Numbers {
    bits: u64,
    /// Whether it was written as any number.
    is_any: bool,
}

/// What a field may say.
struct Bounds {
    least: u64,
    most: u64,
    /// The names of the numbers from `least` on.
    names: &'static [&'static str],
}

impl Schedule {
    /// Reads a schedule; what is wrong with it goes on a sentence.
    // robfig/cron: Parser.Parse
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (zone, text) = zone(text)?;
        if text.starts_with('@') {
            return Err("is a descriptor, which Argo CD does not read".into());
        }
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields[..] else {
            return Err(format!("has {} fields and not 5", fields.len()));
        };
        let field = |name: &str, text: &str, least: u64, most: u64, names| {
            Numbers::parse(text, &Bounds { least, most, names })
                .map_err(|cause| format!("has a field for the {name} that {cause}"))
        };
        Ok(Self {
            minutes: field("minute", minutes, 0, 59, &[])?,
            hours: field("hour", hours, 0, 23, &[])?,
            days: field("day of the month", days, 1, 31, &[])?,
            months: field("month", months, 1, 12, &MONTHS)?,
            weekdays: field("day of the week", weekdays, 0, 6, &WEEKDAYS)?,
            zone,
        })
    }

    /// The next time behind one; `None` where there is none for years.
    pub(super) fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let whole = Timestamp::from_second(after.as_second()).ok()?;
        let ahead = i64::from(after >= whole);
        let mut from = whole.checked_add(SignedDuration::from_secs(ahead)).ok()?;
        let last_year = self.zone.to_datetime(from).year().checked_add(YEARS)?;
        // Between two changes of an offset, clocks go on as usual.
        loop {
            let offset = self.zone.to_offset(from);
            let found = self.next_by_clock(offset.to_datetime(from), last_year)?;
            let found = offset.to_timestamp(found).ok()?;
            match self.zone.following(from).next() {
                Some(change) if change.timestamp() <= found => from = change.timestamp(),
                _ => return Some(found),
            }
        }
    }

    /// The first time from one on.
    fn next_by_clock(&self, from: DateTime, last_year: i16) -> Option<DateTime> {
        let mut date = from.date();
        while date.year() <= last_year {
            if !self.months.has(date.month()) {
                date = date.first_of_month().checked_add(1.month()).ok()?;
                continue;
            }
            let earliest = if date == from.date() {
                from.time()
            } else {
                Time::midnight()
            };
            let time = self
                .is_on(date)
                .then(|| self.first_time(earliest))
                .flatten();
            if let Some(time) = time {
                return Some(date.to_datetime(time));
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    // robfig/cron: dayMatches
    fn is_on(&self, date: Date) -> bool {
        let day = self.days.has(date.day());
        let weekday = self.weekdays.has(date.weekday().to_sunday_zero_offset());
        if self.days.is_any || self.weekdays.is_any {
            day && weekday
        } else {
            day || weekday
        }
    }

    /// The first time of a day from one on.
    fn first_time(&self, earliest: Time) -> Option<Time> {
        let times = (earliest.hour()..24).filter(|hour| self.hours.has(*hour));
        let mut times = times.flat_map(|hour| {
            let minutes = (0..60).filter(|minute| self.minutes.has(*minute));
            minutes.filter_map(move |minute| Time::new(hour, minute, 0, 0).ok())
        });
        times.find(|time| *time >= earliest)
    }
}

/// The time zone in front of a schedule, and the rest; the clock of the window where there is none.
fn zone(text: &str) -> Result<(TimeZone, &str), String> {
    let named = text.strip_prefix("TZ=");
    let Some(named) = named.or_else(|| text.strip_prefix("CRON_TZ=")) else {
        return Ok((TimeZone::UTC, text));
    };
    let (name, rest) = named
        .split_once(' ')
        .ok_or("has a time zone and nothing else")?;
    let zone = clock::zone(name).ok_or("has a time zone that is not known")?;
    Ok((zone, rest.trim()))
}

impl Numbers {
    // robfig/cron: getField
    fn parse(text: &str, bounds: &Bounds) -> Result<Self, &'static str> {
        let parts = text.split(',').filter(|part| !part.is_empty());
        parts.map(|part| Self::range(part, bounds)).try_fold(
            Self::default(),
            |Self { bits, is_any }, part| {
                let part = part?;
                Ok(Self {
                    bits: bits | part.bits,
                    is_any: is_any || part.is_any,
                })
            },
        )
    }

    /// `5`, `1-5`, `*`, `?`, or one of them with a step.
    // robfig/cron: getRange
    fn range(text: &str, bounds: &Bounds) -> Result<Self, &'static str> {
        let (range, step) = match text.split_once('/') {
            Some((_, step)) if step.contains('/') => return Err("has too many `/`"),
            Some((range, step)) => (range, Some(number(step)?)),
            None => (text, None),
        };
        let (low, high) = match range.split_once('-') {
            Some((low, high)) => (low, Some(high)),
            None => (range, None),
        };
        // What stands behind `*-` is not looked at.
        let is_any = matches!(low, "*" | "?");
        let (least, most) = match high {
            _ if is_any => (bounds.least, bounds.most),
            Some(high) if high.contains('-') => return Err("has too many `-`"),
            Some(high) => (bounds.number(low)?, bounds.number(high)?),
            // `5/10` begins there and goes on to the end.
            None if step.is_some() => (bounds.number(low)?, bounds.most),
            None => (bounds.number(low)?, bounds.number(low)?),
        };
        if least < bounds.least || most > bounds.most {
            return Err("has a number out of its range");
        }
        if least > most {
            return Err("has a range that ends before it begins");
        }
        let step = step.unwrap_or(1);
        let size = usize::try_from(step).unwrap_or(usize::MAX);
        if size == 0 {
            return Err("has a step of 0");
        }
        let numbers = (least..=most).step_by(size);
        Ok(Self {
            bits: numbers.fold(0, |bits, number| bits | 1 << number),
            is_any: is_any && step == 1,
        })
    }

    fn has(self, number: i8) -> bool {
        self.bits >> number & 1 == 1
    }
}

impl Bounds {
    /// A number, by its name or not.
    fn number(&self, text: &str) -> Result<u64, &'static str> {
        let mut numbers = (self.least..).zip(self.names);
        let found = numbers.find(|(_, name)| name.eq_ignore_ascii_case(text));
        found.map_or_else(|| number(text), |(number, _)| Ok(number))
    }
}

/// A number as Go reads it, which may have a `+`.
fn number(text: &str) -> Result<u64, &'static str> {
    let number = text.parse::<i64>().ok();
    number
        .and_then(|number| u64::try_from(number).ok())
        .ok_or("has something that is no number")
}
