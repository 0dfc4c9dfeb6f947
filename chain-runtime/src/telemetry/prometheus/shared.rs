//! Series for Redis: whether it is up, and how often it was lost.

use core::fmt;
use std::vec;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::families::Families;
use crate::shared::Redis;

/// Whether a [`Redis`] is up and how often it was lost, as a `Collector`: read anew for each scrape.
///
/// ```
/// use chain_runtime::shared::{Redis, Settings};
/// use chain_runtime::telemetry::prometheus::{Format, RedisSeries, render_all};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), chain_runtime::shared::BadSettings> {
/// let redis = Redis::start(Settings::at("redis://127.0.0.1:1/")?);
/// let text = render_all(Format::OpenMetrics, [Box::new(RedisSeries::new(redis)) as _]);
/// assert!(text.contains("chain_redis_up 0"));
/// assert!(text.contains("chain_redis_outages_total 0"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RedisSeries(Redis);

impl RedisSeries {
    /// For this Redis. It is a handle like others: as long as it exists, the connection to Redis is kept.
    #[must_use]
    pub const fn new(redis: Redis) -> Self {
        Self(redis)
    }
}

impl Collector for RedisSeries {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut families = Families(&mut encoder);
        let is_up = f64::from(u8::from(self.0.is_up()));
        families.gauges("chain_redis_up", "Whether Redis is up", None, [(vec![], is_up)])?;
        let help = "How often Redis was up, and then was not";
        families.counters("chain_redis_outages", help, [(vec![], self.0.outages())])
    }
}
