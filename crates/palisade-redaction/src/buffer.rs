use std::fmt;

use zeroize::Zeroize;

/// Bytes that are wiped when they are given up: on removal, when the buffer grows and when it is dropped.
///
/// A `Vec` that grows leaves a copy behind on the heap; this one moves house itself and wipes the old one.
#[derive(Default)]
pub(crate) struct WipedBuffer {
    bytes: Vec<u8>,
}

impl WipedBuffer {
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn extend(&mut self, more: &[u8]) {
        let needed = self.bytes.len() + more.len();
        if needed > self.bytes.capacity() {
            let mut roomier = Vec::with_capacity(needed.next_power_of_two().max(256));
            roomier.extend_from_slice(&self.bytes);
            self.bytes.zeroize();
            self.bytes = roomier;
        }
        self.bytes.extend_from_slice(more);
    }

    /// Removes the first `count` bytes.
    pub(crate) fn discard(&mut self, count: usize) {
        let left = self.bytes.len() - count;
        self.bytes.copy_within(count.., 0);
        self.bytes[left..].zeroize();
        self.bytes.truncate(left);
    }
}

impl Drop for WipedBuffer {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl fmt::Debug for WipedBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_was_added_minus_what_was_discarded() {
        let mut buffer = WipedBuffer::default();
        buffer.extend(&[1; 200]);
        buffer.extend(&[2; 200]);
        buffer.discard(199);
        assert_eq!(buffer.as_slice()[..2], [1, 2]);
        assert_eq!(buffer.len(), 201);
    }

    #[test]
    fn debug_output_shows_a_length_only() {
        let mut buffer = WipedBuffer::default();
        buffer.extend(b"abc");
        assert_eq!(format!("{buffer:?}"), "3 bytes");
    }
}
