//! Families of counters and gauges, each with all of its series.

use core::fmt;
use std::borrow::ToOwned as _;
use std::string::String;
use std::vec::Vec;

use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::series::Labels;

/// Labels that are borrowed, and a value.
pub(super) type Series<'a, V> = (Vec<(&'static str, &'a str)>, V);

pub(super) struct Families<'a, 'e>(pub(super) &'a mut DescriptorEncoder<'e>);

impl Families<'_, '_> {
    pub(super) fn counters<'a>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = Series<'a, u64>>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        series.into_iter().try_for_each(|(labels, value)| {
            family.encode_family(&owned(labels))?.encode_counter::<NoLabelSet, u64, f64>(&value, None)
        })
    }

    pub(super) fn gauges<'a>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        series: impl IntoIterator<Item = Series<'a, f64>>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        series.into_iter().try_for_each(|(labels, value)| family.encode_family(&owned(labels))?.encode_gauge(&value))
    }
}

fn owned(labels: Vec<(&'static str, &str)>) -> Labels {
    labels.into_iter().map(|(name, value)| (String::from(name), value.to_owned())).collect()
}
