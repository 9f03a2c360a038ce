//! A thread with a tokio runtime that ends when its owner is dropped.
//!
//! One for each proxy or server, not one for all: a test that is over takes its
//! sockets with it, whatever its neighbours do.

use std::{
    future::Future,
    io,
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::{runtime, sync::oneshot};

/// How long a scripted function that still runs may hold up the end of a test.
const END: Duration = Duration::from_millis(100);

/// Runs one future until it ends or until this value is dropped. `drop` returns
/// when the future and everything it spawned are gone, their sockets closed.
#[derive(Debug)]
pub(crate) struct Background {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    pub(crate) fn start(
        name: &str,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = thread::Builder::new().name(name.into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = work => {}
                }
            });
            runtime.shutdown_timeout(END);
        })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was already printed there.
            let _ = thread.join();
        }
    }
}
