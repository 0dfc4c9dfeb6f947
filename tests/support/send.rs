//! Whether a value is `Send`, as a `bool`, so that a test can say both that one is and that another is not.

/// Asks about the type of a value. See [`is_send!`](crate::is_send).
#[derive(Debug)]
pub struct Probe<'a, T>(pub &'a T);

impl<T: Send> Probe<'_, T> {
    /// This method hides the one of [`Otherwise`] where its bound holds.
    #[must_use]
    pub fn is_send(&self) -> bool {
        true
    }
}

/// What is found where the value is not `Send`.
pub trait Otherwise {
    /// It is not.
    fn is_send(&self) -> bool {
        false
    }
}

impl<T> Otherwise for Probe<'_, T> {}

/// Whether the value of this expression is `Send`.
#[macro_export]
macro_rules! is_send {
    ($value:expr) => {{
        #[allow(unused_imports, reason = "used where the value is not `Send`")]
        use $crate::send::Otherwise as _;
        $crate::send::Probe(&$value).is_send()
    }};
}
