//! Calls that fail on purpose, so that the tests of the bindings can see what a
//! defect of this library looks like to a host. Only with the feature `faults`,
//! which no release has.

use super::Homeline;
use crate::error::{Result, guard};

#[uniffi::export]
impl Homeline {
    /// Panics inside the library; arrives as `Bug`.
    pub fn fault_panic(&self) -> Result<()> {
        #[expect(clippy::panic, reason = "this is what the call is for")]
        guard("Homeline::fault_panic", || panic!("on purpose"))
    }
}
