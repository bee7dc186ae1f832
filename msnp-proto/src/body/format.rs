//! `X-MMS-IM-Format`: how a text looks.

use core::fmt;

use memchr::memchr;

use super::mime::Sink;
use crate::hex;
use crate::wire::percent;

/// How a text looks: the value of `X-MMS-IM-Format`. It is small and needs no memory of its own.
///
/// ```
/// use msnp_proto::body::{Colour, Effects, Format};
///
/// let format = Format::parse(b"FN=MS%20Sans%20Serif; EF=BI; CO=80ff; CS=0; PF=22");
/// assert_eq!(format.font.unwrap().as_str(), "MS Sans Serif");
/// assert_eq!(format.effects, Effects::NONE.with(Effects::BOLD).with(Effects::ITALIC));
/// assert_eq!(format.colour, Colour { r: 255, g: 128, b: 0 });
/// assert_eq!(format.to_string(), "FN=MS%20Sans%20Serif; EF=BI; CO=80ff; CS=0; PF=22");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Format {
    /// The font's face (`FN`); none means the reader's own.
    pub font: Option<Font>,
    /// Bold and such (`EF`).
    pub effects: Effects,
    /// The colour of the letters (`CO`).
    pub colour: Colour,
    /// The Windows character set that the font should have (`CS`): a hint for the choice of font,
    /// not the coding of the text.
    pub charset: u8,
    /// The Windows family (high digit) and pitch (low digit) to choose a substitute by (`PF`).
    pub pitch_family: u8,
    /// Whether lines begin at the right (`RL=1`).
    pub right_to_left: bool,
}

impl Format {
    /// Arial in black: what clients send when nobody chose anything.
    pub const ARIAL: Self = Self {
        font: Some(Font::ARIAL),
        effects: Effects::NONE,
        colour: Colour { r: 0, g: 0, b: 0 },
        charset: 0,
        pitch_family: 0x22,
        right_to_left: false,
    };

    /// Reads the value of the header line: any order, any case, the first of two equal keys wins.
    /// What is missing or unreadable has its default.
    #[must_use]
    pub fn parse(value: &[u8]) -> Self {
        Self::read(value).0
    }

    /// The format, and whether all of its known keys could be read.
    pub(super) fn read(value: &[u8]) -> (Self, bool) {
        const KEYS: [&[u8; 2]; 6] = [b"FN", b"EF", b"CO", b"CS", b"PF", b"RL"];
        let mut seen = [false; KEYS.len()];
        let mut format = Self::default();
        let mut readable = true;
        for part in value.split(|byte| *byte == b';') {
            let Some(equals) = memchr(b'=', part) else { continue };
            let (key, value) = part.split_at(equals);
            let key = key.trim_ascii();
            let known =
                KEYS.iter().zip(&mut seen).find(|(name, _)| key.eq_ignore_ascii_case(**name));
            let Some((name, seen)) = known else { continue };
            if core::mem::replace(seen, true) {
                continue;
            }
            let value = value.strip_prefix(b"=").unwrap_or(value).trim_ascii();
            readable &= format.set(name, value).is_some() || value.is_empty();
        }
        (format, readable)
    }

    fn set(&mut self, key: &[u8; 2], value: &[u8]) -> Option<()> {
        match key {
            b"FN" => self.font = Some(Font::decode(value)?),
            b"EF" => self.effects = Effects::parse(value),
            b"CO" => self.colour = Colour::parse(value)?,
            b"CS" => self.charset = hexadecimal(value, 2)? as u8,
            b"PF" => self.pitch_family = hexadecimal(value, 2)? as u8,
            _ => self.right_to_left = value == b"1",
        }
        Some(())
    }

    /// Writes the value. The font comes first, always: in 2003 the switchboards closed the
    /// connection of who put it elsewhere (hypothetic.org).
    pub(super) fn put(&self, out: &mut impl Sink) {
        out.put(b"FN=");
        if let Some(font) = &self.font {
            font.put(out);
        }
        out.put(b"; EF=");
        for (effect, letter) in LETTERS {
            if self.effects.has(effect) {
                out.put(&[letter]);
            }
        }
        out.put(b"; CO=");
        let Colour { r, g, b } = self.colour;
        put_hexadecimal(u32::from_be_bytes([0, b, g, r]), out);
        out.put(b"; CS=");
        put_hexadecimal(u32::from(self.charset), out);
        out.put(b"; PF=");
        put_hexadecimal(u32::from(self.pitch_family), out);
        if self.right_to_left {
            out.put(b"; RL=1");
        }
    }
}

/// The value of the header line in its canonical form.
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = alloc::vec::Vec::new();
        self.put(&mut out);
        f.write_str(core::str::from_utf8(&out).unwrap_or_default())
    }
}

/// The name of a font: 1 to 31 UTF-16 units as in Windows, without control characters. Old clients
/// crashed on longer ones.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Font {
    bytes: [u8; Self::BYTES],
    len: u8,
}

impl Font {
    /// Most UTF-16 units.
    pub const MAX: usize = 31;
    /// What they can need in UTF-8.
    const BYTES: usize = 3 * Self::MAX;

    const ARIAL: Self = {
        let mut bytes = [0; Self::BYTES];
        let [a, r, i, second_a, l, ..] = &mut bytes;
        (*a, *r, *i, *second_a, *l) = (b'A', b'r', b'i', b'a', b'l');
        Self { bytes, len: 5 }
    };

    /// Checks and copies a name.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        Self::collect(name.bytes())
    }

    /// From the value of `FN`, percent-coded.
    fn decode(value: &[u8]) -> Option<Self> {
        Self::collect(percent::decode_bytes(value))
    }

    fn collect(name: impl Iterator<Item = u8>) -> Option<Self> {
        let mut bytes = [0; Self::BYTES];
        let mut len = 0_u8;
        for byte in name {
            *bytes.get_mut(usize::from(len))? = byte;
            len = len.checked_add(1)?;
        }
        let font = Self { bytes, len };
        let name = core::str::from_utf8(font.as_bytes()).ok()?;
        let fits = (1..=Self::MAX).contains(&name.encode_utf16().count())
            && !name.chars().any(char::is_control);
        fits.then_some(font)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    fn put(&self, out: &mut impl Sink) {
        for byte in self.as_bytes() {
            match byte {
                0x21..=0x7E if !matches!(byte, b'%' | b';') => out.put(&[*byte]),
                _ => {
                    out.put(b"%");
                    out.put(&hex::upper(*byte));
                }
            }
        }
    }
}

impl fmt::Display for Font {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Font {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

/// A set of effects.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Effects(u8);

const LETTERS: [(Effects, u8); 4] = [
    (Effects::BOLD, b'B'),
    (Effects::ITALIC, b'I'),
    (Effects::UNDERLINE, b'U'),
    (Effects::STRIKE, b'S'),
];

impl Effects {
    /// No effect.
    pub const NONE: Self = Self(0);
    /// Bold (`B`).
    pub const BOLD: Self = Self(1);
    /// Italic (`I`).
    pub const ITALIC: Self = Self(2);
    /// Underlined (`U`).
    pub const UNDERLINE: Self = Self(4);
    /// Struck out (`S`).
    pub const STRIKE: Self = Self(8);

    /// The effects of both sets.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all effects of the other set are in this one.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// From letters in any order and case; letters without a meaning are ignored.
    #[must_use]
    pub fn parse(letters: &[u8]) -> Self {
        let of = |letter: &u8| LETTERS.iter().find(|(_, known)| letter.eq_ignore_ascii_case(known));
        letters.iter().filter_map(of).fold(Self::NONE, |all, (effect, _)| all.with(*effect))
    }
}

impl fmt::Debug for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Effects(")?;
        for (effect, letter) in LETTERS {
            if self.has(effect) {
                write!(f, "{}", char::from(letter))?;
            }
        }
        f.write_str(")")
    }
}

/// A colour. On the wire it is hexadecimal with blue first and no leading zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Colour {
    /// Red.
    pub r: u8,
    /// Green.
    pub g: u8,
    /// Blue.
    pub b: u8,
}

impl Colour {
    /// From one to six hexadecimal digits.
    ///
    /// ```
    /// use msnp_proto::body::Colour;
    ///
    /// assert_eq!(Colour::parse(b"ff"), Some(Colour { r: 255, g: 0, b: 0 }));
    /// assert_eq!(Colour::parse(b"zz"), None);
    /// ```
    #[must_use]
    pub fn parse(digits: &[u8]) -> Option<Self> {
        let [_, b, g, r] = hexadecimal(digits, 6)?.to_be_bytes();
        Some(Self { r, g, b })
    }
}

/// One to `most` hexadecimal digits.
fn hexadecimal(digits: &[u8], most: usize) -> Option<u32> {
    if digits.is_empty() || digits.len() > most {
        return None;
    }
    digits.iter().try_fold(0_u32, |value, digit| {
        value.checked_mul(16)?.checked_add(char::from(*digit).to_digit(16)?)
    })
}

fn put_hexadecimal(value: u32, out: &mut impl Sink) {
    let digits = value.to_be_bytes().map(hex::lower);
    let digits = digits.as_flattened();
    let significant = digits.iter().position(|digit| *digit != b'0').unwrap_or(digits.len());
    out.put(digits.get(significant..).filter(|digits| !digits.is_empty()).unwrap_or(b"0"));
}
