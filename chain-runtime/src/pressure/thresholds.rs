//! The readings at which a source enters a level and leaves it.

use core::error::Error;
use core::fmt;

use super::Level;

/// The readings at which the levels of a source begin and end, in the unit of its readings.
///
/// A level is entered at the first reading that is at least `enter`. It ends when readings stay below `leave`, which is
/// lower, so that a reading that varies around one number does not switch the level with each sample.
///
/// ```
/// use chain_runtime::pressure::{Level, Thresholds};
///
/// // elevated, high, critical
/// const MEMORY: Thresholds = Thresholds::new([0.80, 0.90, 0.97], [0.75, 0.85, 0.93]);
/// assert_eq!(MEMORY.entered(0.91), Level::High);
/// assert_eq!(MEMORY.kept(0.86), Level::High);
/// assert_eq!(MEMORY.entered(0.86), Level::Elevated);
///
/// // This source is never critical.
/// const QUEUE: Thresholds = Thresholds::new([100.0, 500.0, f64::INFINITY], [50.0, 400.0, 400.0]);
/// assert_eq!(QUEUE.entered(1e9), Level::High);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    enter: [f64; 3],
    leave: [f64; 3],
}

impl Thresholds {
    /// The levels elevated, high and critical, in this order.
    ///
    /// # Panics
    ///
    /// With the error of [`Thresholds::checked`]. In a `const`, that is a compile error.
    #[must_use]
    pub const fn new(enter: [f64; 3], leave: [f64; 3]) -> Self {
        match Self::checked(enter, leave) {
            Ok(thresholds) => thresholds,
            Err(BadThresholds::NotANumber) => panic!("a threshold is not a number"),
            Err(BadThresholds::Descending) => panic!("thresholds must ascend from level to level"),
            Err(BadThresholds::NoGap) => panic!("a level must be left below where it is entered"),
        }
    }

    /// The same as [`Thresholds::new`], for numbers from a configuration.
    ///
    /// # Errors
    ///
    /// A number is NaN, the levels do not ascend, or a level's `leave` is not below its `enter`. A level that is
    /// entered at `f64::INFINITY` is never entered.
    pub const fn checked(enter: [f64; 3], leave: [f64; 3]) -> Result<Self, BadThresholds> {
        let mut i = 0;
        while i < 3 {
            if enter[i].is_nan() || leave[i].is_nan() {
                return Err(BadThresholds::NotANumber);
            }
            if leave[i] >= enter[i] {
                return Err(BadThresholds::NoGap);
            }
            if i > 0 && (leave[i] < leave[i - 1] || enter[i] <= enter[i - 1] && enter[i] != f64::INFINITY) {
                return Err(BadThresholds::Descending);
            }
            i += 1;
        }
        Ok(Self { enter, leave })
    }

    /// Each level is left at this share of its `enter`.
    ///
    /// # Panics
    ///
    /// The same as for [`Thresholds::new`]; also if `share` is not within 0 and 1, or a number in `enter` is negative
    /// or zero.
    #[must_use]
    pub const fn leaving_at(enter: [f64; 3], share: f64) -> Self {
        assert!(share >= 0.0 && share < 1.0, "the share at which a level is left is at least 0 and below 1");
        assert!(enter[0] > 0.0, "a share of nothing is no gap");
        let mut leave = [0.0; 3];
        let mut i = 0;
        while i < 3 {
            // If a level is never entered, any `leave` will do.
            let base = if enter[i] == f64::INFINITY && i > 0 { enter[0] } else { enter[i] };
            leave[i] = base * share;
            if i > 0 && leave[i] < leave[i - 1] {
                leave[i] = leave[i - 1];
            }
            i += 1;
        }
        Self::new(enter, leave)
    }

    /// The readings at which elevated, high and critical begin.
    #[must_use]
    pub const fn enter(&self) -> [f64; 3] {
        self.enter
    }

    /// The readings below which they end.
    #[must_use]
    pub const fn leave(&self) -> [f64; 3] {
        self.leave
    }

    /// The level that a reading enters from calm. NaN enters none.
    #[must_use]
    pub fn entered(&self, value: f64) -> Level {
        highest(&self.enter, value)
    }

    /// The highest level that such a reading keeps up. It is no lower than [`entered`](Self::entered), since each level
    /// is left below its `enter`.
    #[must_use]
    pub fn kept(&self, value: f64) -> Level {
        highest(&self.leave, value)
    }
}

fn highest(numbers: &[f64; 3], value: f64) -> Level {
    let over = numbers.iter().filter(|number| value >= **number).count();
    Level::ALL[over]
}

/// Why thresholds are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadThresholds {
    /// A number is NaN.
    NotANumber,
    /// A higher level begins or ends below a lower one.
    Descending,
    /// A level does not end below where it begins.
    NoGap,
}

impl fmt::Display for BadThresholds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotANumber => "a threshold is not a number",
            Self::Descending => "thresholds must ascend from level to level",
            Self::NoGap => "a level must be left below where it is entered",
        })
    }
}

impl Error for BadThresholds {}
