//! A tokio task enters a network namespace, awaits, goes on on another pool thread and restores
//! there: kata-containers' fault (pull request 3369). The thread that it switched stays away, and
//! is given to other tasks. Must be reported: a warning, split-sequence.
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{mpsc, Arc};
use std::task::{Poll, Waker};
use std::time::Duration;

fn thread() -> i32 {
    nix::unistd::gettid().as_raw()
}

/// Comes back on another thread: a task keeps this one busy while `wakers` wakes the caller.
async fn migrate(wakers: mpsc::Sender<Waker>, over: Arc<AtomicBool>) {
    let from = thread();
    while thread() == from {
        let over = over.clone();
        tokio::spawn(async move {
            while thread() == from && !over.load(Ordering::Acquire) {
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let mut asked = false;
        poll_fn(|context| {
            if std::mem::replace(&mut asked, true) {
                return Poll::Ready(());
            }
            wakers.send(context.waker().clone()).unwrap();
            Poll::Pending
        })
        .await;
    }
}

fn main() {
    let other = hosts::other_network();
    let (sender, receiver) = mpsc::channel::<Waker>();
    std::thread::spawn(move || {
        for waker in receiver {
            std::thread::sleep(Duration::from_millis(20));
            waker.wake();
        }
    });
    let pool = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let task = pool.spawn({
        let over = over.clone();
        async move {
            let home = hosts::own_network();
            hosts::enter(&other);
            migrate(sender, over).await;
            hosts::touch_network();
            hosts::enter(&home);
        }
    });
    pool.block_on(task).unwrap();
    over.store(true, Ordering::Release);
    println!("done");
}
