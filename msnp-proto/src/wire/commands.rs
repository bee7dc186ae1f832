//! One definition a command: the macro that turns a table of verbs into the enum of their values,
//! its reader, its writer and its rows in the table of verbs.

use super::argument::Extra;
use super::frame::{Frame, Verb};

/// A frame that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed<'a, T> {
    /// A known command, and what stood behind its last argument.
    Command(T, Extra<'a>),
    /// A verb that this side does not know; the frame is kept as it came.
    Unknown(Frame<'a>),
}

/// Which of the servers a verb belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Roles {
    /// The dispatch server.
    pub dispatch: bool,
    /// The notification server.
    pub notification: bool,
    /// The switchboard.
    pub switchboard: bool,
}

impl Roles {
    /// From letters: `D`, `N` and `B`.
    #[must_use]
    pub const fn new(letters: &str) -> Self {
        let mut roles = Self { dispatch: false, notification: false, switchboard: false };
        let mut rest = letters.as_bytes();
        while let [first, tail @ ..] = rest {
            match first {
                b'D' => roles.dispatch = true,
                b'N' => roles.notification = true,
                _ => roles.switchboard = true,
            }
            rest = tail;
        }
        roles
    }
}

/// One row of a table of verbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerbRow {
    /// The verb.
    pub verb: Verb,
    /// The number of the first dialect that has it.
    pub since: u8,
    /// The servers that take or send it.
    pub roles: Roles,
    /// Whether a payload follows the line.
    pub payload: bool,
}

/// Defines the commands of one direction. Each verb has the number of the dialect that brought
/// it, the letters of its servers, `payload` if one follows, and one or more shapes. A shape is a
/// value and, behind `=`, the order of its arguments on the line: names of its fields, and words
/// that stand there literally. The first shape that fits is taken.
macro_rules! commands {
    (
        $(#[$enum_doc:meta])*
        pub enum $Enum:ident {
            $(
                $verb:literal $since:literal $roles:literal $($payload:ident)? {
                    $(
                        $(#[$doc:meta])*
                        $Variant:ident { $( $(#[$field_doc:meta])* $field:ident : $type:ty ),* $(,)? }
                            = [$($item:tt)*];
                    )+
                }
            )*
        }
    ) => {
        $(#[$enum_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $Enum<'a> {
            $($(
                $(#[$doc])*
                #[doc = ""]
                #[doc = concat!("Since MSNP", $since, ": `", $verb, $( commands!(@doc $item), )* "`")]
                $Variant { $( $(#[$field_doc])* $field: $type ),* },
            )+)*
        }

        impl<'a> $Enum<'a> {
            /// All verbs of this direction, with what is known of them.
            pub const VERBS: &'static [$crate::wire::VerbRow] = &[
                $( $crate::wire::VerbRow {
                    verb: commands!(@verb $verb),
                    since: $since,
                    roles: $crate::wire::Roles::new($roles),
                    payload: commands!(@payload $($payload)?),
                } ),*
            ];

            /// Whether a payload follows a line that begins with this word.
            #[must_use]
            pub fn has_payload(word: &[u8]) -> bool {
                let Ok(word) = <[u8; 3]>::try_from(word) else { return false };
                let code = $crate::wire::Verb::new(word).code();
                $( (commands!(@payload $($payload)?)
                    && code == const { commands!(@verb $verb).code() }) || )* false
            }

            /// Reads a frame.
            ///
            /// # Errors
            ///
            /// When the verb is known and the rest does not fit any of its shapes. The error is
            /// that of the shape that got furthest.
            pub fn parse(
                frame: $crate::wire::Frame<'a>,
            ) -> Result<$crate::wire::Parsed<'a, Self>, $crate::error::CommandError> {
                let Some(verb) = frame.verb() else {
                    return Ok($crate::wire::Parsed::Unknown(frame));
                };
                let code = verb.code();
                $( if code == const { commands!(@verb $verb).code() } {
                    let args = $crate::wire::Args::new(verb, frame);
                    return Self::first_fit(args, const { &[
                        $( {
                            fn read<'a>(
                                args: &mut $crate::wire::Args<'a>,
                            ) -> Result<$Enum<'a>, $crate::error::CommandError> {
                                let _ = &args;
                                $( commands!(@read args $item); )*
                                Ok($Enum::$Variant { $($field),* })
                            }
                            read
                        } ),+
                    ] });
                } )*
                Ok($crate::wire::Parsed::Unknown(frame))
            }

            #[allow(clippy::type_complexity, reason = "the type of one reader, used once")]
            #[inline]
            fn first_fit(
                args: $crate::wire::Args<'a>,
                readers: &[for<'b> fn(
                    &mut $crate::wire::Args<'b>,
                ) -> Result<$Enum<'b>, $crate::error::CommandError>],
            ) -> Result<$crate::wire::Parsed<'a, Self>, $crate::error::CommandError> {
                let mut furthest: Option<$crate::error::CommandError> = None;
                for reader in readers {
                    let mut args = args;
                    match reader(&mut args) {
                        Ok(command) => {
                            let extra = $crate::wire::Extra(args.remaining());
                            return Ok($crate::wire::Parsed::Command(command, extra));
                        }
                        Err(error) if furthest.is_some_and(|best| best.argument >= error.argument) => {}
                        Err(error) => furthest = Some(error),
                    }
                }
                Err(furthest.unwrap_or($crate::error::CommandError {
                    verb: $crate::wire::Verb::new(*b"???"),
                    argument: 0,
                    expected: $crate::error::Expected::Words,
                    missing: true,
                }))
            }

            /// Appends the command as one canonical frame: single blanks, CRLF.
            pub fn encode(&self, out: &mut alloc::vec::Vec<u8>) {
                match self {
                    $($(
                        Self::$Variant { $($field),* } => {
                            #[allow(unused_mut, reason = "not every command has arguments")]
                            let mut line =
                                $crate::wire::LineWriter::new(out, commands!(@verb $verb));
                            $( commands!(@write line $item); )*
                            line.end();
                        }
                    )+)*
                }
            }

            /// The verb of this command.
            #[must_use]
            pub const fn verb(&self) -> $crate::wire::Verb {
                match self {
                    $($( Self::$Variant { .. } => commands!(@verb $verb), )+)*
                }
            }
        }
    };

    (@verb $verb:literal) => {
        const {
            match $verb.as_bytes() {
                &[a, b, c] => $crate::wire::Verb::new([a, b, c]),
                _ => panic!("a verb has three bytes"),
            }
        }
    };
    (@payload payload) => { true };
    (@payload) => { false };
    (@doc $word:literal) => { concat!(" ", $word) };
    (@doc $field:ident) => { concat!(" <", stringify!($field), ">") };
    (@read $args:ident $word:literal) => { $args.literal($word)?; };
    (@read $args:ident $field:ident) => { let $field = $crate::wire::Arg::read($args)?; };
    (@write $line:ident $word:literal) => { $line.word($word.as_bytes()); };
    (@write $line:ident $field:ident) => { $crate::wire::Arg::write($field, &mut $line); };
}

pub(crate) use commands;
