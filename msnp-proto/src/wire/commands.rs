//! One definition a command: the macro that turns a table of verbs into the enum of their values,
//! its reader, its writer and its rows in the table of verbs.

use super::argument::Extra;
use super::frame::Frame;

/// A frame that was read. Nothing is lost: arguments that nobody knows and commands that nobody knows
/// are here as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed<'a, T> {
    /// A known command, and what stood behind its last argument.
    Command(T, Extra<'a>),
    /// A verb that this side does not know, a refusal by number, or a line that does not begin with
    /// a verb at all; the frame is kept as it came.
    Unknown(Frame<'a>),
}

/// Defines the commands of one direction. Each verb has the number of the dialect that brought
/// it, the letters of its servers, the numbers that a server may refuse it with, `payload` if one
/// follows, and one or more shapes. A shape is a value and, behind `=`, the order of its arguments
/// on the line:
///
/// | it | is |
/// |---|---|
/// | `name` | the field of this name |
/// | `"word"` | a word that stands there literally |
/// | `(name = reader)` | a field that another function than that of its type reads |
/// | `[name]`, `[name 6]` | a field that may be missing at the end of the line; it came with MSNP6 |
/// | `{name}` | the payload, of which the length stands there |
///
/// The first shape that fits is taken.
macro_rules! commands {
    (
        $(#[$enum_doc:meta])*
        pub enum $Enum:ident {
            $(
                $verb:literal $since:literal $roles:literal $refusals:tt $($payload:ident)? {
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
                #[doc = ""]
                #[doc = commands!(@refused $refusals)]
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
                    refusals: &commands!(@codes $refusals),
                    shapes: &[ $( $crate::wire::Shape {
                        name: stringify!($Variant),
                        arguments: &[ $( commands!(@argument $item) ),* ],
                    } ),+ ],
                } ),*
            ];

            /// Whether a payload follows a line with this verb.
            #[must_use]
            #[inline]
            pub fn has_payload(verb: $crate::wire::Verb) -> bool {
                let code = verb.code();
                $( (commands!(@payload $($payload)?)
                    && code == const { commands!(@verb $verb).code() }) || )* false
            }

            /// Reads a frame.
            ///
            /// # Errors
            ///
            /// When the verb is known and the rest does not fit any of its shapes. The error is
            /// that of the shape that got furthest; among equals of one that does not want a
            /// certain word, else of the first.
            #[inline]
            pub fn parse(
                frame: $crate::wire::Frame<'a>,
            ) -> Result<$crate::wire::Parsed<'a, Self>, $crate::error::CommandError> {
                let Some(args) = $crate::wire::Args::new(frame) else {
                    return Ok($crate::wire::Parsed::Unknown(frame));
                };
                let code = args.verb().code();
                $( if code == const { commands!(@verb $verb).code() } {
                    return commands!(@fit $Enum args
                        $( { $Variant { $($field),* } [$($item)*] } )+);
                } )*
                Ok($crate::wire::Parsed::Unknown(frame))
            }

            /// Appends the command as one canonical frame: single blanks, CRLF, then the payload
            /// if there is one. It is read as the same command again, unless it is longer than the
            /// reader's limits.
            ///
            /// Optional arguments stand at the end of a line. When one is missing, those behind it
            /// are left out too: they would be read as the missing one.
            pub fn encode(&self, out: &mut alloc::vec::Vec<u8>) {
                match self {
                    $($(
                        Self::$Variant { $($field),* } => {
                            let line =
                                $crate::wire::LineWriter::new(out, commands!(@verb $verb));
                            commands!(@write line; $($item)*);
                        }
                    )+)*
                }
            }

            /// Shows each field that is there by its name, in the order in which they are declared.
            /// For those who show commands and do not act on them.
            pub fn fields<'s>(
                &'s self,
                see: &mut dyn FnMut(&'static str, $crate::wire::Value<'s>),
            ) {
                match self {
                    $($(
                        Self::$Variant { $($field),* } => {
                            $( commands!(@field see $field); )*
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

        #[cfg(feature = "testing")]
        impl<'a> $Enum<'a> {
            /// How many shapes there are.
            pub const SHAPES: usize = [$($( stringify!($Variant) ),+),*].len();

            /// A command of the shape of this number, with values that `source` decides. They are
            /// such that the command is read as it was written.
            ///
            /// # Panics
            ///
            /// When `shape` is not below [`Self::SHAPES`].
            #[must_use]
            pub fn any(shape: usize, source: &mut $crate::testing::Source<'a>) -> Self {
                source.begin_command();
                let mut number = 0..Self::SHAPES;
                $($( if number.next() == Some(shape) {
                    return Self::$Variant {
                        $( $field: $crate::testing::values::Any::any(source) ),*
                    };
                } )+)*
                panic!("there are {} shapes, not {shape}", Self::SHAPES)
            }
        }
    };

    // A verb, checked when the table is compiled.
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
    (@doc ($field:ident = $read:path)) => { commands!(@doc $field) };
    (@doc [$field:ident]) => { concat!(" [<", stringify!($field), ">]") };
    (@doc [$field:ident $since:literal]) => {
        concat!(" [<", stringify!($field), "> since MSNP", $since, "]")
    };
    (@doc {$field:ident}) => { concat!(" <length of ", stringify!($field), ">") };

    (@refused []) => { "" };
    (@refused [$($code:literal)+]) => { concat!("May be refused with" $(, " ", $code)+, ".") };

    (@codes [$($code:literal)*]) => {
        [ $( const {
            match $crate::types::ErrorCode::new($code) {
                Some(code) => code,
                None => panic!("no error number"),
            }
        } ),* ]
    };

    (@argument $word:literal) => { commands!(@place $word, Word, None) };
    (@argument $field:ident) => { commands!(@place stringify!($field), Field, None) };
    (@argument ($field:ident = $read:path)) => { commands!(@argument $field) };
    (@argument [$field:ident]) => { commands!(@place stringify!($field), Optional, None) };
    (@argument [$field:ident $since:literal]) => {
        commands!(@place stringify!($field), Optional, Some($since))
    };
    (@argument {$field:ident}) => { commands!(@place stringify!($field), Payload, None) };
    (@place $name:expr, $Place:ident, $since:expr) => {
        $crate::wire::Argument { name: $name, place: $crate::wire::Place::$Place, since: $since }
    };

    // The first of the shapes that fits, or the error of the one that got furthest.
    (@fit $Enum:ident $args:ident $shape:tt) => { commands!(@shape $Enum $args $shape) };
    (@fit $Enum:ident $args:ident $shape:tt $($more:tt)+) => {
        match commands!(@shape $Enum $args $shape) {
            Ok(fits) => Ok(fits),
            Err(error) => match commands!(@fit $Enum $args $($more)+) {
                Err(other) if !other.says_more_than(&error) => Err(error),
                result => result,
            },
        }
    };
    (@shape $Enum:ident $args:ident { $Variant:ident { $($field:ident),* } [$($item:tt)*] }) => {{
        #[inline]
        fn read<'a>(args: &mut $crate::wire::Args<'a>)
        -> Result<$crate::wire::Parsed<'a, $Enum<'a>>, $crate::wire::Failed> {
            $( commands!(@read args $item); )*
            let extra = args.extra()?;
            Ok($crate::wire::Parsed::Command($Enum::$Variant { $($field),* }, extra))
        }
        let mut args = $args;
        read(&mut args).map_err(|failed| args.error(failed))
    }};

    (@read $args:ident $word:literal) => { $args.literal($word)?; };
    (@read $args:ident $field:ident) => { let $field = $crate::wire::Arg::read($args)?; };
    (@read $args:ident ($field:ident = $read:path)) => { let $field = $read($args)?; };
    (@read $args:ident [$field:ident $($since:literal)?]) => {
        let $field: Option<_> = $crate::wire::Arg::read($args)?;
    };
    (@read $args:ident {$field:ident}) => {
        let $field: $crate::wire::Body<'_> = $crate::wire::Arg::read($args)?;
    };

    (@field $see:ident $field:ident) => {
        if let Some(value) = $crate::wire::Arg::value($field) {
            $see(stringify!($field), value);
        }
    };

    (@write $line:expr;) => { $line.end() };
    (@write $line:expr; $word:literal $($rest:tt)*) => {
        commands!(@write $line.with_literal($word); $($rest)*)
    };
    (@write $line:expr; $field:ident $($rest:tt)*) => {
        commands!(@write $line.with($field); $($rest)*)
    };
    (@write $line:expr; ($field:ident = $read:path) $($rest:tt)*) => {
        commands!(@write $line.with($field); $($rest)*)
    };
    (@write $line:expr; [$field:ident $($since:literal)?] $($rest:tt)*) => {
        commands!(@write $line.with($field); $($rest)*)
    };
    (@write $line:expr; {$field:ident} $($rest:tt)*) => {
        commands!(@write $line.with($field); $($rest)*)
    };
}

pub(crate) use commands;
