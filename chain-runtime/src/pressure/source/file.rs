//! A small file of the kernel that is kept open, and the reading of numbers from it.

use std::format;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::{Absent, Fault};

/// A file that is read again and again at offset 0: opening one costs more than reading it.
#[derive(Debug)]
pub(super) struct Kept {
    path: PathBuf,
    file: File,
}

impl Kept {
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        let file = File::open(&path)?;
        Ok(Self { path, file })
    }

    /// Opens the file for the source of this name.
    pub(super) fn of(name: &'static str, path: &Path) -> Result<Self, Absent> {
        Self::open(path.to_path_buf())
            .map_err(|error| Absent::new(name, format!("`{}` cannot be opened: {error}", path.display())))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The present content of the file, as far as it fits. If the file cannot be read, it is opened again, once: what
    /// it describes may have been made anew.
    pub(super) fn read<'b>(&mut self, buffer: &'b mut [u8]) -> Result<&'b [u8], Fault> {
        let read = match self.file.read_at(buffer, 0) {
            Ok(read) => read,
            Err(_) => {
                self.file = File::open(&self.path)?;
                self.file.read_at(buffer, 0)?
            }
        };
        Ok(&buffer[..read])
    }

    /// Reads a file that contains one number.
    pub(super) fn number(&mut self) -> Result<u64, Fault> {
        number(self.read(&mut [0; 32])?)
    }

    /// Reads a file that contains one number, or `max`.
    pub(super) fn limit(&mut self) -> Result<Option<u64>, Fault> {
        let mut buffer = [0; 32];
        let text = self.read(&mut buffer)?;
        if text.trim_ascii() == b"max" { Ok(None) } else { number(text).map(Some) }
    }
}

/// Digits, with space around them.
pub(super) fn number(text: &[u8]) -> Result<u64, Fault> {
    let digits = text.trim_ascii();
    if digits.is_empty() {
        return Err(Fault::Malformed);
    }
    digits.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0')).ok_or(Fault::Malformed)?;
        number.checked_mul(10).and_then(|number| number.checked_add(digit)).ok_or(Fault::TooLarge)
    })
}

/// The number on the line `<key> <number>`.
pub(super) fn field(text: &[u8], key: &[u8]) -> Result<u64, Fault> {
    let mut lines = text.split_inclusive(|byte| *byte == b'\n');
    // A line that the buffer cuts off may contain half a number.
    let line = lines.find_map(|line| line.strip_suffix(b"\n")?.strip_prefix(key)?.strip_prefix(b" "));
    number(line.ok_or(Fault::Malformed)?)
}

/// A number with two decimals, such as `12.34`, in hundredths.
pub(super) fn hundredths(text: &[u8]) -> Result<u64, Fault> {
    let dot = text.iter().position(|byte| *byte == b'.').ok_or(Fault::Malformed)?;
    let (whole, part) = (number(&text[..dot])?, &text[dot + 1..]);
    if part.len() != 2 {
        return Err(Fault::Malformed);
    }
    whole.checked_mul(100).and_then(|whole| whole.checked_add(number(part).ok()?)).ok_or(Fault::TooLarge)
}
