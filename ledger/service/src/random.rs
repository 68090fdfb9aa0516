//! Random bytes from the operating system.

use zeroize::Zeroizing;

/// Fills a buffer. A machine that cannot give random bytes must not go on, so this panics if it cannot.
pub(crate) fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system gives random bytes");
}

/// A new 256-bit key.
pub(crate) fn key() -> Zeroizing<[u8; 32]> {
    let mut bytes = Zeroizing::new([0; 32]);
    fill(bytes.as_mut_slice());
    bytes
}

/// Random bytes that are no secret.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}
