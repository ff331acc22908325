//! The same visit without a fault: on a thread of its own, and on a blocking thread of tokio's that
//! does not await. Must be reported: nothing.
fn visit(other: &std::fs::File) {
    let home = hosts::own_network();
    hosts::enter(other);
    hosts::touch_network();
    hosts::enter(&home);
}

fn main() {
    let other = hosts::other_network();
    let pool = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    for _ in 0..10 {
        let network = other.try_clone().unwrap();
        std::thread::spawn(move || visit(&network)).join().unwrap();
        let network = other.try_clone().unwrap();
        pool.block_on(pool.spawn_blocking(move || visit(&network))).unwrap();
        hosts::touch_network();
    }
    println!("done");
}
