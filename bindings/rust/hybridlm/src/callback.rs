//! Closures of the caller, called from C: a panic must not unwind through the library's frames.
use std::any::Any;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};

/// A panic on its way around the library: caught in the callback, resumed when the call has returned.
#[derive(Default)]
pub(crate) struct Caught(Option<Box<dyn Any + Send>>);

impl Caught {
    /// `f()`, or `on_panic` if it panics or one before it did.
    pub(crate) fn run<R>(&mut self, on_panic: R, f: impl FnOnce() -> R) -> R {
        if self.0.is_some() {
            return on_panic;
        }
        match catch_unwind(AssertUnwindSafe(f)) {
            Ok(result) => result,
            Err(panic) => {
                self.0 = Some(panic);
                on_panic
            }
        }
    }

    /// Goes on with the panic, if there was one.
    pub(crate) fn resume(&mut self) {
        if let Some(panic) = self.0.take() {
            resume_unwind(panic);
        }
    }
}

/// The same where there is no call of the caller's own to return to, or no telling which: the panic ends here, after
/// the panic hook has reported it.
pub(crate) fn muffled<R>(on_panic: R, f: impl FnOnce() -> R) -> R {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(result) => result,
        Err(panic) => {
            // Dropping it may panic again; what that panic carries is given up.
            if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
                std::mem::forget(again);
            }
            on_panic
        }
    }
}
