//! Moves while it is single-threaded, then starts its pool: what it left is no home any more. Must
//! be reported: nothing.
use nix::sched::{unshare, CloneFlags};

fn main() {
    hosts::must("unshare", unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWUTS));
    let pool = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let tasks: Vec<_> = (0..20).map(|_| pool.spawn(async { hosts::touch_network() })).collect();
    for task in tasks {
        pool.block_on(task).unwrap();
    }
    println!("done");
}
