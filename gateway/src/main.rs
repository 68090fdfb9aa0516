//! The `goldenthread` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    goldenthread::cli::main()
}
