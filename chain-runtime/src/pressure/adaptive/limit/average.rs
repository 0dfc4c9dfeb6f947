//! A mean that forgets slowly.

/// Netflix's `ExpAvgMeasurement`: the plain mean of the first few values, and then an exponential mean.
#[derive(Clone, Copy, Debug)]
pub(super) struct Average {
    value: f64,
    sum: f64,
    count: u32,
    warm_up: u32,
    factor: f64,
}

impl Average {
    /// It remembers roughly so many values, and is the plain mean until it has seen `warm_up` of them.
    pub(super) fn new(window: u32, warm_up: u32) -> Self {
        Self { value: 0.0, sum: 0.0, count: 0, warm_up, factor: 2.0 / (f64::from(window) + 1.0) }
    }

    pub(super) fn add(&mut self, value: f64) -> f64 {
        if self.is_warm() {
            self.value += (value - self.value) * self.factor;
        } else {
            self.count += 1;
            self.sum += value;
            self.value = self.sum / f64::from(self.count);
        }
        self.value
    }

    pub(super) const fn is_warm(&self) -> bool {
        self.count >= self.warm_up
    }

    /// The present mean; `None` before the first value.
    pub(super) fn get(&self) -> Option<f64> {
        (self.count > 0).then_some(self.value)
    }

    /// Sets the mean.
    pub(super) fn set(&mut self, value: f64) {
        self.value = value;
        self.count = self.warm_up;
    }

    pub(super) fn scale(&mut self, by: f64) {
        self.value *= by;
        self.sum *= by;
    }
}

#[cfg(test)]
mod tests {
    use super::Average;

    /// `ExpAvgMeasurementTest.testWarmup`.
    #[test]
    fn the_first_few_are_a_plain_mean() {
        let mut average = Average::new(100, 10);
        for (at, expected) in [10.0, 10.5, 11.0, 11.5, 12.0, 12.5, 13.0, 13.5, 14.0, 14.5].into_iter().enumerate() {
            average.add(at as f64 + 10.0);
            assert!((average.get().unwrap() - expected).abs() < 0.01, "{at}: {average:?}");
        }
        average.add(100.0);
        assert!((average.get().unwrap() - 16.2).abs() < 0.1, "{average:?}");
    }
}
