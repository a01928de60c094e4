use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::Thread,
};

/// Runs one future to its end on this thread, which sleeps while the future waits.
///
/// Enough for every backend that brings its own threads or none. One that needs a runtime passes that runtime's own
/// `block_on` to the macro of its port instead.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let signal = Arc::new(Signal {
        woken: AtomicBool::new(false),
        thread: std::thread::current(),
    });
    let waker = Waker::from(Arc::clone(&signal));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        while !signal.woken.swap(false, Ordering::Acquire) {
            std::thread::park();
        }
    }
}

/// Polls all futures side by side and collects their outputs in order.
pub async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<Pin<Box<F>>> = futures.into_iter().map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = running.iter().map(|_| None).collect();
    poll_fn(|cx| {
        for (future, output) in running.iter_mut().zip(&mut outputs) {
            if output.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(cx)
            {
                *output = Some(value);
            }
        }
        if outputs.iter().all(Option::is_some) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    outputs.into_iter().flatten().collect()
}

struct Signal {
    woken: AtomicBool,
    thread: Thread,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use super::*;

    #[test]
    fn a_future_woken_from_another_thread_runs_to_its_end() {
        let (send, receive) = mpsc::channel::<Waker>();
        let helper = thread::spawn(move || receive.recv().map(Waker::wake));
        let mut polls = 0;
        let output = block_on(poll_fn(|cx| {
            polls += 1;
            if polls == 1 {
                send.send(cx.waker().clone()).expect("the helper listens");
                return Poll::Pending;
            }
            Poll::Ready(polls)
        }));
        assert_eq!(output, 2);
        helper
            .join()
            .expect("the helper ends")
            .expect("a waker came");
    }

    #[test]
    fn joined_outputs_keep_their_order() {
        assert_eq!(
            block_on(join_all((0..5).map(|n| async move { n * n }))),
            [0, 1, 4, 9, 16]
        );
    }
}
