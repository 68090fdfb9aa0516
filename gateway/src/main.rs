//! The `goldenthread` program.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// What a statement takes is allocated on one thread and freed on another, dozens of times. The system's allocator locks and searches
/// for that; with this one a statement costs a fifth less.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    goldenthread::cli::main()
}
