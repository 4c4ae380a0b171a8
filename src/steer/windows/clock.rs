//! Where a window is in its schedule at a time.

use std::sync::LazyLock;

use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};

use super::schedule::Schedule;
use super::{Phase, duration};
use crate::steer::project::SyncWindow;

/// The time zones that are compiled in: there are no others in an image of one program.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// As many starts in a row are looked at: those of an hour.
const STARTS: usize = 60;

/// Where a window is in its schedule, or which field of it is wrong and how.
///
/// Argo CD reads a schedule against a clock that is UTC plus what the time zone differs *now*, so that where a window spans
/// a change of summer time, all of it moves by an hour at that change. It takes a window for active from just behind the
/// second in which it begins; here it is active from that second on, so that there is a time at which it begins.
// Argo CD: SyncWindows.active, inactiveAllows, scheduleOffsetByTimeZone
pub(super) fn phase(window: &SyncWindow, now: Timestamp) -> Result<Phase, (&'static str, String)> {
    let schedule = Schedule::parse(&window.schedule).map_err(|cause| ("schedule", cause))?;
    let duration = duration::parse(&window.duration)
        .ok_or_else(|| ("duration", "is no duration as Go writes them".to_owned()))?;
    // Argo CD takes a zone that it does not know for UTC.
    let name = window.time_zone.as_deref().unwrap_or_default();
    let zone = zone(name).unwrap_or(TimeZone::UTC);
    let clock = Clock {
        offset: zone.to_offset(now),
    };
    let change = zone.following(now).next();
    let change = change.map(|change| change.timestamp());
    let local = clock.at(now);
    let after = local.and_then(|local| local.checked_sub(duration).ok());
    let start = after.and_then(|after| schedule.next(after));
    let (is_active, end) = match (start, local) {
        (Some(start), Some(local)) if start > local => (false, Some(start)),
        (Some(start), _) => (true, end(&schedule, start, duration)),
        // A schedule without a next time gives Argo CD the year 1, which is in the past: such a window is always active.
        (None, _) => (true, None),
    };
    let end = end.and_then(|end| clock.back(end));
    let until = end.into_iter().chain(change).min();
    Ok(Phase { is_active, until })
}

/// When a window ends that began at a time: another start before its end prolongs it, as in `* 10 * * *`. Of one that goes
/// on and on only so much is looked at.
fn end(schedule: &Schedule, start: Timestamp, duration: SignedDuration) -> Option<Timestamp> {
    let mut end = start.checked_add(duration).ok()?;
    let mut last = start;
    for _ in 0..STARTS {
        match schedule.next(last) {
            Some(next) if next <= end => last = next,
            _ => break,
        }
        end = last.checked_add(duration).ok()?;
    }
    Some(end)
}

/// A clock that differs from UTC, read as if it were UTC.
struct Clock {
    offset: Offset,
}

impl Clock {
    fn at(&self, time: Timestamp) -> Option<Timestamp> {
        time.checked_add(self.ahead()).ok()
    }

    fn back(&self, time: Timestamp) -> Option<Timestamp> {
        time.checked_sub(self.ahead()).ok()
    }

    fn ahead(&self) -> SignedDuration {
        SignedDuration::from_secs(self.offset.seconds().into())
    }
}

/// A time zone by the name that Go knows it by, which is exact.
// Go: time.LoadLocation; Argo CD's image is in UTC
pub(super) fn zone(name: &str) -> Option<TimeZone> {
    if matches!(name, "" | "UTC" | "Local") {
        return Some(TimeZone::UTC);
    }
    let zone = ZONES.get(name).ok()?;
    (zone.iana_name() == Some(name)).then_some(zone)
}
