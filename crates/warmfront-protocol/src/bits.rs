/// How many words a packed state takes.
pub const WORDS: usize = 8;

/// A state packed into bits.
pub type Packed = [u64; WORDS];

/// Writes fields to a packed state, or reads them: one description of the fields serves both ways.
#[derive(Debug)]
pub struct Bits {
    words: Packed,
    at: usize,
    reading: bool,
}

impl Bits {
    /// Writes, from the beginning.
    pub fn writer() -> Bits {
        Bits {
            words: [0; WORDS],
            at: 0,
            reading: false,
        }
    }

    /// Reads `words` from the beginning.
    pub fn reader(words: &Packed) -> Bits {
        Bits {
            words: *words,
            at: 0,
            reading: true,
        }
    }

    /// What has been written.
    pub fn packed(&self) -> Packed {
        self.words
    }

    /// A number below two to the power of `width`; at most 7 bits.
    ///
    /// # Panics
    /// If the number does not fit, or the state is larger than [`WORDS`]: both are mistakes in the model.
    pub fn number(&mut self, number: &mut u8, width: usize) {
        assert!(self.at + width <= WORDS * 64, "a state needs more than {WORDS} words");
        let (word, shift) = (self.at / 64, self.at % 64);
        let mask = (1_u64 << width) - 1;
        let spills = shift + width > 64;
        if self.reading {
            let mut value = self.words[word] >> shift;
            if spills {
                value |= self.words[word + 1] << (64 - shift);
            }
            *number = (value & mask) as u8;
        } else {
            let value = u64::from(*number);
            assert!(value <= mask, "{value} does not fit {width} bits");
            self.words[word] |= value << shift;
            if spills {
                self.words[word + 1] |= value >> (64 - shift);
            }
        }
        self.at += width;
    }

    /// One bit.
    pub fn flag(&mut self, flag: &mut bool) {
        let mut number = u8::from(*flag);
        self.number(&mut number, 1);
        *flag = number == 1;
    }

    /// One bit, and what follows if it is set.
    pub fn option<T: Default>(&mut self, option: &mut Option<T>, code: impl FnOnce(&mut T, &mut Bits)) {
        let mut present = option.is_some();
        self.flag(&mut present);
        if present {
            code(option.get_or_insert_default(), self);
        }
    }
}
