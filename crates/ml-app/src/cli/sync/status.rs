//! `ml-app sync status`, as a table.

use ml_data::sync::{CollectionStatus, SyncStatus};

use crate::output::{self, Report};

const HEADERS: [&str; 12] = [
    "collection",
    "read",
    "written",
    "unchanged",
    "quarantined",
    "deleted",
    "in quarantine",
    "warned",
    "waiting",
    "lag",
    "last moved",
    "last compared",
];

impl Report for SyncStatus {
    fn text(&self) -> String {
        let table = output::table(&HEADERS, self.collections.iter().map(row), &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        let verdict = if self.adds_up { "adds up" } else { "DOES NOT ADD UP: please report this" };
        let mut text = format!("{table}\nread = written + unchanged + quarantined + deleted: {verdict}");
        for status in self.collections.iter().filter(|status| status.is_expired) {
            let line = "the position has expired; the next `ml-app sync` compares both sides record by record";
            text = format!("{text}\n{}: {line}", status.collection);
        }
        text
    }
}

fn row(status: &CollectionStatus) -> Vec<String> {
    let counts = status.counts;
    let mut row = vec![status.collection.to_string()];
    row.extend([counts.read, counts.written, counts.unchanged, counts.quarantined, counts.deleted].map(output::count));
    row.push(output::count(status.in_quarantine));
    row.push(output::count(status.with_warnings));
    row.push(status.lag_events.map_or_else(|| "unknown".to_owned(), output::count));
    row.push(status.lag_seconds.map_or_else(|| "unknown".to_owned(), seconds));
    row.push(status.position_age_seconds.map_or_else(|| "never".to_owned(), |age| format!("{} ago", seconds(age))));
    row.push(status.reconciled_at.map_or_else(|| "never".to_owned(), |at| at.format("%F %T").to_string()));
    row
}

/// Writes a duration in its largest fitting unit.
fn seconds(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 120.0 => format!("{seconds:.1} s"),
        seconds if seconds < 7_200.0 => format!("{:.0} min", seconds / 60.0),
        seconds if seconds < 172_800.0 => format!("{:.0} h", seconds / 3_600.0),
        seconds => format!("{:.0} days", seconds / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_fitting_units() {
        assert_eq!(
            [0.25, 119.0, 600.0, 90_000.0, 864_000.0].map(seconds),
            ["0.2 s", "119.0 s", "10 min", "25 h", "10 days"]
        );
    }
}
