//! A fault of one connection: where in its bytes it strikes, and what happens then.
//!
//! It counts bytes and not time, so that the same seed meets the same fault at the
//! same place of the conversation.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the phone to the ministry.
    Up,
    /// From the ministry to the phone.
    Down,
}

/// What happens at the byte.
#[derive(Clone)]
pub enum Then {
    /// Both ends are reset.
    Reset,
    /// Both ends are closed in good order: what was on its way is cut short.
    Close,
    /// Nothing comes through this way any more, and nobody is told: half open.
    Silence,
    /// The byte is another one.
    Flip,
    /// The bytes from here on come later.
    Wait(Duration),
    /// This is done, then the bytes go on: a process is killed, for example.
    Do(Arc<dyn Fn() + Send + Sync>),
}

impl fmt::Debug for Then {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reset => "reset",
            Self::Close => "close",
            Self::Silence => "silence",
            Self::Flip => "flip",
            Self::Wait(_) => "wait",
            Self::Do(_) => "do",
        })
    }
}

/// One fault of one connection.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Which bytes are counted.
    pub way: Way,
    /// So many of them pass, TLS included.
    pub after: usize,
    /// What happens at the next one.
    pub then: Then,
}

impl Fault {
    /// At which of the next `size` bytes it strikes, when `moved` have passed. Pure.
    pub(super) fn strikes(&self, way: Way, moved: usize, size: usize) -> Option<usize> {
        let at = self.after.checked_sub(moved)?;
        (way == self.way && at < size).then_some(at)
    }
}

/// The faults of the connections to come, in order.
#[derive(Debug, Default)]
pub struct Faults(Mutex<VecDeque<Fault>>);

impl Faults {
    /// One for each connection.
    pub fn new(faults: impl IntoIterator<Item = Fault>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(faults.into_iter().collect())))
    }

    pub(super) fn next(&self) -> Option<Fault> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_at_its_byte_and_once() {
        let fault = Fault {
            way: Way::Down,
            after: 100,
            then: Then::Reset,
        };
        assert_eq!(fault.strikes(Way::Down, 0, 100), None);
        assert_eq!(fault.strikes(Way::Down, 0, 101), Some(100));
        assert_eq!(fault.strikes(Way::Down, 90, 20), Some(10));
        assert_eq!(fault.strikes(Way::Down, 101, 20), None);
        assert_eq!(fault.strikes(Way::Up, 90, 20), None);
    }
}
