use std::{
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
};

/// Opens when every thread that holds a [`Pass`] has dropped it, also by a panic.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    passes: usize,
    waiting: Vec<Waker>,
}

#[derive(Debug)]
pub(crate) struct Pass(Gate);

impl Gate {
    pub(crate) fn pass(&self) -> Pass {
        self.lock().passes += 1;
        Pass(self.clone())
    }

    pub(crate) async fn opened(&self) {
        poll_fn(|cx| {
            let mut state = self.lock();
            if state.passes == 0 {
                return Poll::Ready(());
            }
            if !state
                .waiting
                .iter()
                .any(|waker| waker.will_wake(cx.waker()))
            {
                state.waiting.push(cx.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let waiting = {
            let mut state = self.0.lock();
            state.passes -= 1;
            if state.passes > 0 {
                return;
            }
            std::mem::take(&mut state.waiting)
        };
        for waker in waiting {
            waker.wake();
        }
    }
}
