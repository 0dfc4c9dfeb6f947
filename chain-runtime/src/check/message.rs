//! A message that is built in a constant, where nothing can be formatted.

/// A message that is built in a constant.
pub(super) struct Message {
    bytes: [u8; 1024],
    length: usize,
}

impl Message {
    /// A message of this code, which it begins with.
    pub(super) const fn of(code: &str) -> Self {
        let message = Self { bytes: [0; 1024], length: 0 };
        message.text("chain[").text(code).text("]: ")
    }

    /// Appends a type as code, behind its article.
    pub(super) const fn a(self, ty: &str) -> Self {
        let vowels = matches!(ty.as_bytes(), [b'A' | b'E' | b'I' | b'O' | b'a' | b'e' | b'i' | b'o', ..]);
        let message = if vowels { self.text("an ") } else { self.text("a ") };
        message.code(ty)
    }

    /// Appends `text`. A string that does not fit is left out whole.
    pub(super) const fn text(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        if self.length + text.len() > self.bytes.len() {
            return self;
        }
        let mut at = 0;
        while at < text.len() {
            self.bytes[self.length] = text[at];
            self.length += 1;
            at += 1;
        }
        self
    }

    /// Appends `text` as code.
    pub(super) const fn code(self, text: &str) -> Self {
        self.text("`").text(text).text("`")
    }

    pub(super) const fn number(self, number: usize) -> Self {
        let tail = [b'0' + (number % 10) as u8];
        let head = if number >= 10 { self.number(number / 10) } else { self };
        match core::str::from_utf8(&tail) {
            Ok(digit) => head.text(digit),
            Err(_) => head,
        }
    }

    pub(super) const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(text) => text,
            Err(_) => "chain!: an error whose message is not UTF-8",
        }
    }
}
