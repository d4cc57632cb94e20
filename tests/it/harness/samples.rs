//! Records made for tests: small notes on two topics that a linear model tells apart.

use std::fmt::Write as _;

use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const SPORT: [&str; 12] = [
    "striker", "goal", "keeper", "league", "coach", "penalty", "stadium", "relay", "sprint", "medal", "referee", "cup",
];
const ENERGY: [&str; 12] = [
    "turbine", "grid", "reactor", "pipeline", "barrel", "solar", "battery", "refinery", "voltage", "coal", "gas", "dam",
];
const PLAIN: [&str; 16] = [
    "the", "report", "says", "that", "after", "a", "long", "week", "people", "near", "river", "were", "told", "of",
    "new", "plans",
];

/// Returns a generator that always gives the same numbers.
pub(crate) fn seeded(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Writes `n` sound notes as JSON lines: `id`, `topic`, `text`, `length` and `published_at`.
pub(crate) fn notes(n: usize) -> String {
    let mut rng = seeded(7);
    let mut lines = String::new();
    for index in 0..n {
        let (topic, words) = if index % 2 == 0 { ("sport", &SPORT) } else { ("energy", &ENERGY) };
        let text = sentence(&mut rng, words);
        let (day, minute) = (1 + index / 1440 % 28, index % 1440);
        let at = format!("2025-03-{day:02}T{:02}:{:02}:00Z", minute / 60, minute % 60);
        let length = text.len();
        let _ = writeln!(
            lines,
            r#"{{"id":"note-{index}","topic":"{topic}","text":"{text}","length":{length},"published_at":"{at}"}}"#
        );
    }
    lines
}

fn sentence(rng: &mut ChaCha8Rng, words: &[&str]) -> String {
    let mut text = String::new();
    for _ in 0..20 {
        let pool: &[&str] = if rng.random_bool(0.3) { words } else { &PLAIN };
        text.push_str(pool.choose(rng).expect("the pools have words"));
        text.push(' ');
    }
    // A number keeps two notes from ever being the same text.
    let _ = write!(text, "{}", rng.random::<u32>());
    text
}
