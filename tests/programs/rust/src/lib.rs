//! What the hosts share: namespaces as files, and a network namespace that nobody is in.
use nix::sched::{setns, unshare, CloneFlags};
use std::fs::File;
use std::os::unix::io::AsRawFd;

pub fn must<T, E: std::fmt::Display>(what: &str, result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| {
        eprintln!("{what}: {error}");
        std::process::exit(77)
    })
}

/// Of the calling thread.
pub fn own_network() -> File {
    must("open", File::open("/proc/thread-self/ns/net"))
}

pub fn enter(network: &File) {
    must("setns", setns(network.as_raw_fd(), CloneFlags::CLONE_NEWNET))
}

/// Made by a thread that ends there: namespaces live as long as a descriptor leads to them.
pub fn other_network() -> File {
    let made = std::thread::spawn(|| {
        let home = own_network();
        must("unshare", unshare(CloneFlags::CLONE_NEWNET));
        let other = own_network();
        enter(&home);
        other
    });
    made.join().unwrap()
}

pub fn touch_network() {
    must("socket", std::net::UdpSocket::bind("0.0.0.0:0"));
}
