//! Stands in for `chain_runtime::IntoReply` for the time being.
pub(crate) trait IntoReply<R> {
    fn into_reply(self) -> R;
}
