//! Randomness for keys, secrets and ids.

use std::{fmt::Write, io};

use aws_lc_rs::rand;

/// Fresh random bytes from the operating system's generator.
///
/// # Errors
/// When the generator gives none, and then nothing secret may be made.
pub fn random_bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes)
        .map_err(|_| io::Error::other("the system's random generator gave no bytes"))?;
    Ok(bytes)
}

/// Fresh random bytes as lower-case hexadecimal digits, two a byte.
///
/// # Errors
/// As [`random_bytes`].
pub fn random_hex<const N: usize>() -> io::Result<String> {
    let mut text = String::with_capacity(2 * N);
    for byte in random_bytes::<N>()? {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}
