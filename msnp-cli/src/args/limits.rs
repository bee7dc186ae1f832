//! The limits of `serve`: what strangers may cost.
//!
//! Every limit of the hub has an option. Those that are seldom changed are not in the help of one
//! screen; `serve --help-all`, the manual page and SERVER.md have all of them.

use std::time::Duration;

use clap::Args;
use msnp_proto::hub::{Allowance, HubLimits, Rate};

use super::values;

/// What strangers may cost.
#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// Connections in all
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = values::number(1_usize..))]
    max_connections: usize,

    /// Connections from one address
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = values::number(1_usize..))]
    max_per_address: usize,

    /// From connecting to being signed in
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = values::some_time)]
    sign_in_deadline: Duration,

    /// Give peers up that are dead for so long, 0: never
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = values::keepalive)]
    pub(crate) keepalive: Duration,

    /// Changes, calls, lists asked for; see RATE below
    #[arg(long, value_name = "RATE", default_value = "10:100", value_parser = rate)]
    changes: Frequency,

    /// All commands but texts
    #[arg(long, value_name = "RATE", default_value = "100:1000", value_parser = rate)]
    commands: Frequency,

    /// Texts in switchboards
    #[arg(long, value_name = "RATE", default_value = "0", value_parser = rate)]
    texts: Frequency,

    /// Bytes that arrive
    #[arg(long, value_name = "RATE", default_value = "0", value_parser = rate)]
    bytes: Frequency,

    /// Unread bytes that make a connection wait
    #[arg(long, value_name = "BYTES", default_value_t = 64 * 1024)]
    #[arg(value_parser = values::bytes_from(1024))]
    backlog_soft: usize,

    /// Unread bytes that end a connection
    #[arg(long, value_name = "BYTES", default_value_t = 256 * 1024)]
    #[arg(value_parser = values::bytes_from(1024))]
    backlog_hard: usize,

    /// People on one contact list
    #[arg(long, value_name = "N", default_value_t = 600, value_parser = values::number(1_usize..))]
    max_contacts: usize,

    /// Print help with every limit
    // Not one of the parser's own help flags, which would name it after every mistake.
    #[arg(long)]
    pub(crate) help_all: bool,

    #[command(flatten)]
    rare: RareLimitArgs,
}

#[derive(Args, Debug)]
struct RareLimitArgs {
    /// Longest line before sign-in, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1024, hide_short_help = true)]
    #[arg(value_parser = values::bytes_from(256))]
    line_before_sign_in: usize,

    /// Longest line after sign-in, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 8 * 1024, hide_short_help = true)]
    #[arg(value_parser = values::bytes_from(1024))]
    max_line: usize,

    /// Longest payload at the notification server, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 8 * 1024, hide_short_help = true)]
    #[arg(value_parser = values::bytes_from(256))]
    max_payload: usize,

    /// Longest message in a switchboard, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1664, hide_short_help = true)]
    #[arg(value_parser = values::bytes_from(256))]
    max_message: usize,

    /// People in one switchboard
    #[arg(long, value_name = "N", default_value_t = 50, hide_short_help = true)]
    #[arg(value_parser = values::number(1_usize..))]
    max_people: usize,

    /// People on an allow or block list
    #[arg(long, value_name = "N", default_value_t = 1200, hide_short_help = true)]
    #[arg(value_parser = values::number(1_usize..))]
    max_privacy_entries: usize,

    /// Groups of one account
    #[arg(long, value_name = "N", default_value_t = 30, hide_short_help = true)]
    #[arg(value_parser = values::number(1..=30_u32))]
    max_groups: u32,

    /// New names at once, and after how long one more; beyond: error 800; 0: any
    #[arg(long, value_name = "N:TIME", default_value = "0", hide_short_help = true)]
    #[arg(value_parser = allowance)]
    renames: Pace,

    /// Calls in a row that reach nobody; beyond: error 713; 0: any
    #[arg(long, value_name = "N", default_value_t = 5, hide_short_help = true)]
    #[arg(value_parser = values::number(0..=u8::MAX))]
    failed_calls: u8,

    /// Calls of one caller that somebody has not answered yet; beyond: error 713
    #[arg(long, value_name = "N", default_value_t = 4, hide_short_help = true)]
    #[arg(value_parser = values::number(1_usize..))]
    max_rings_of_one: usize,

    /// Calls in all that somebody has not answered yet; beyond: error 217
    #[arg(long, value_name = "N", default_value_t = 64, hide_short_help = true)]
    #[arg(value_parser = values::number(1_usize..))]
    max_rings: usize,

    /// Commands in a row that mean nothing, with which a connection ends
    #[arg(long, value_name = "N", default_value_t = 10, hide_short_help = true)]
    #[arg(value_parser = values::number(1..=u8::MAX))]
    strikes: u8,

    /// How long a client may take to answer a challenge
    #[arg(long, value_name = "TIME", default_value = "50s", hide_short_help = true)]
    #[arg(value_parser = values::some_time)]
    challenge_deadline: Duration,

    /// How long somebody may be alone in a switchboard
    #[arg(long, value_name = "TIME", default_value = "5m", hide_short_help = true)]
    #[arg(value_parser = values::some_time)]
    alone: Duration,

    /// How long people in a switchboard may be silent, 0: for ever
    #[arg(long, value_name = "TIME", default_value = "0s", hide_short_help = true)]
    #[arg(value_parser = values::duration)]
    silence: Duration,

    /// How long a cookie for a switchboard is good
    #[arg(long, value_name = "TIME", default_value = "60s", hide_short_help = true)]
    #[arg(value_parser = values::some_time)]
    cookie_lifetime: Duration,

    /// Cookies that one person may have asked for at a time
    #[arg(long, value_name = "N", default_value_t = 256, hide_short_help = true)]
    #[arg(value_parser = values::number(1_usize..))]
    max_cookies: usize,
}

/// How often something may happen; none for as often as one likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frequency(Option<Rate>);

/// How often somebody may do something before it is refused; none for as often as they like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pace(Option<Allowance>);

impl LimitArgs {
    /// The limits of the hub.
    ///
    /// # Errors
    ///
    /// Values that are good each and make no sense together.
    pub(crate) fn to_limits(&self) -> Result<HubLimits, String> {
        let rare = &self.rare;
        if self.backlog_hard < self.backlog_soft {
            return Err(format!(
                "--backlog-hard is {} and --backlog-soft {}: nobody would be made to wait before \
                 they are dropped",
                self.backlog_hard, self.backlog_soft
            ));
        }
        // A message with its line, and what is said beside it.
        let least = rare.max_message.saturating_add(1024);
        if self.backlog_hard < least {
            return Err(format!(
                "--backlog-hard is too little for one message of --max-message; it must be {least} \
                 at least"
            ));
        }
        let mut limits = HubLimits::new();
        limits.connections = self.max_connections;
        limits.connections_per_address = self.max_per_address;
        limits.sign_in = self.sign_in_deadline;
        limits.line_before_sign_in = rare.line_before_sign_in;
        limits.line = rare.max_line;
        limits.payload = rare.max_payload;
        limits.message = rare.max_message;
        limits.backlog_soft = self.backlog_soft;
        limits.backlog_hard = self.backlog_hard;
        limits.changes = self.changes.0;
        limits.commands = self.commands.0;
        limits.texts = self.texts.0;
        limits.bytes = self.bytes.0;
        limits.strikes = rare.strikes;
        limits.cookie = rare.cookie_lifetime;
        limits.cookies = rare.max_cookies;
        limits.people = rare.max_people;
        limits.alone = rare.alone;
        limits.silence = Some(rare.silence).filter(|silence| !silence.is_zero());
        limits.challenge = rare.challenge_deadline;
        limits.failed_calls = Some(rare.failed_calls).filter(|calls| *calls > 0);
        limits.rings_of_one = rare.max_rings_of_one;
        limits.rings = rare.max_rings;
        limits.renames = rare.renames.0;
        limits.groups = rare.max_groups;
        limits.contacts = self.max_contacts;
        limits.privacy_entries = rare.max_privacy_entries;
        Ok(limits)
    }
}

fn rate(text: &str) -> Result<Frequency, String> {
    let read = || {
        let (per_second, burst) = match text.split_once(':') {
            Some((per_second, burst)) => (digits(per_second)?, Some(digits(burst)?)),
            None => (digits(text)?, None),
        };
        match (per_second, burst) {
            (0, None) => Some(Frequency(None)),
            (0, Some(_)) | (_, Some(0)) => None,
            (per_second, burst) => {
                let burst = burst.unwrap_or(per_second.saturating_mul(10));
                Some(Frequency(Some(Rate { per_second, burst })))
            }
        }
    };
    read().ok_or_else(|| {
        format!(
            "a rate is N or N:M, so many a second and so many at once (without M ten times N), \
             whole numbers from 1 to {}; 0 is any",
            u32::MAX
        )
    })
}

fn allowance(text: &str) -> Result<Pace, String> {
    if text == "0" {
        return Ok(Pace(None));
    }
    let burst_and_refill = text.split_once(':').and_then(|(burst, refill)| {
        let burst = digits(burst).filter(|burst| *burst > 0)?;
        Some(Allowance { burst, refill: values::some_time(refill).ok()? })
    });
    burst_and_refill.map(|allowance| Pace(Some(allowance))).ok_or_else(|| {
        "this is N:TIME, so many at once and one more after so long, like 5:10s; 0 is any".into()
    })
}

/// A number without sign or anything else.
fn digits(text: &str) -> Option<u32> {
    text.parse().ok().filter(|_| !text.starts_with('+'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        limits: LimitArgs,
    }

    fn parse(args: &[&str]) -> Result<LimitArgs, String> {
        let args = ["serve"].iter().chain(args);
        Line::try_parse_from(args).map(|line| line.limits).map_err(|error| error.to_string())
    }

    /// Every limit with its value.
    fn fields(limits: &HubLimits) -> impl Iterator<Item = String> {
        let shown = format!("{limits:?}");
        let inner = shown.trim_start_matches("HubLimits { ").trim_end_matches(" }");
        let mut fields: Vec<String> = Vec::new();
        for part in inner.split(", ") {
            // The parts of a rate belong together.
            match fields
                .last_mut()
                .filter(|last| last.matches('{').count() > last.matches('}').count())
            {
                Some(last) => last.push_str(part),
                None => fields.push(part.to_owned()),
            }
        }
        fields.into_iter()
    }

    #[test]
    fn without_options_the_limits_are_those_of_the_hub() {
        assert_eq!(parse(&[]).unwrap().to_limits(), Ok(HubLimits::new()));
    }

    #[test]
    fn every_limit_has_an_option() {
        type Row = (&'static str, &'static str, fn(&mut HubLimits));
        let rows: [Row; 27] = [
            ("--max-connections", "7", |l| l.connections = 7),
            ("--max-per-address", "7", |l| l.connections_per_address = 7),
            ("--sign-in-deadline", "7s", |l| l.sign_in = Duration::from_secs(7)),
            ("--line-before-sign-in", "777", |l| l.line_before_sign_in = 777),
            ("--max-line", "7777", |l| l.line = 7777),
            ("--max-payload", "777", |l| l.payload = 777),
            ("--max-message", "777", |l| l.message = 777),
            ("--backlog-soft", "7777", |l| l.backlog_soft = 7777),
            ("--backlog-hard", "77777", |l| l.backlog_hard = 77_777),
            ("--changes", "7", |l| l.changes = Some(Rate { per_second: 7, burst: 70 })),
            ("--commands", "7:9", |l| l.commands = Some(Rate { per_second: 7, burst: 9 })),
            ("--texts", "1:1", |l| l.texts = Some(Rate { per_second: 1, burst: 1 })),
            ("--bytes", "4294967295", |l| {
                l.bytes = Some(Rate { per_second: u32::MAX, burst: u32::MAX });
            }),
            ("--strikes", "255", |l| l.strikes = 255),
            ("--cookie-lifetime", "7m", |l| l.cookie = Duration::from_secs(420)),
            ("--max-cookies", "7", |l| l.cookies = 7),
            ("--max-people", "7", |l| l.people = 7),
            ("--alone", "7ms", |l| l.alone = Duration::from_millis(7)),
            ("--silence", "7h", |l| l.silence = Some(Duration::from_secs(7 * 3600))),
            ("--challenge-deadline", "7s", |l| l.challenge = Duration::from_secs(7)),
            ("--failed-calls", "0", |l| l.failed_calls = None),
            ("--max-rings-of-one", "7", |l| l.rings_of_one = 7),
            ("--max-rings", "7", |l| l.rings = 7),
            ("--renames", "5:10s", |l| l.renames = Some(Allowance::RENAMES)),
            ("--max-groups", "7", |l| l.groups = 7),
            ("--max-contacts", "18446744073709551615", |l| l.contacts = usize::MAX),
            ("--max-privacy-entries", "7", |l| l.privacy_entries = 7),
        ];
        let mut fields: BTreeSet<String> = fields(&HubLimits::new()).collect();
        for (option, value, change) in rows {
            let mut wanted = HubLimits::new();
            change(&mut wanted);
            assert_eq!(
                parse(&[option, value]).unwrap().to_limits(),
                Ok(wanted.clone()),
                "{option}"
            );
            // What stands in the other's lines only is what this option is for.
            let usual: Vec<String> = self::fields(&wanted).collect();
            fields.retain(|field| usual.contains(field));
        }
        assert_eq!(fields.iter().next(), None, "a limit without an option");
        let off = parse(&["--changes", "0", "--commands", "0"]).unwrap().to_limits().unwrap();
        assert_eq!((off.changes, off.commands), (None, None));
        assert_eq!(parse(&["--keepalive", "0"]).unwrap().keepalive, Duration::ZERO);
    }

    #[test]
    fn values_that_make_no_sense_are_refused() {
        let huge = "99999999999999999999999";
        let of_counts = ["0", "-1", "", "1.5", "ten", "1 ", "0x10", huge];
        let of_rates = ["0:5", "5:0", ":", "5:", ":5", "1:2:3", "-1", "+1", "1e3", "5/s", "", huge];
        let of_times = ["0", "0s", "10", "-1s", "", "s", "1y1", huge];
        let of_sizes = ["0", "255", "1073741824", "-1", "", "64k", huge];
        let rows = [
            (["--max-connections", "--max-per-address", "--max-contacts"], &of_counts[..]),
            (["--max-people", "--max-cookies", "--max-privacy-entries"], &of_counts[..]),
            (["--max-rings", "--max-rings-of-one", "--max-rings"], &of_counts[..]),
            (["--changes", "--commands", "--texts"], &of_rates[..]),
            (["--bytes", "--bytes", "--bytes"], &of_rates[..]),
            (["--sign-in-deadline", "--challenge-deadline", "--alone"], &of_times[..]),
            (["--cookie-lifetime", "--cookie-lifetime", "--cookie-lifetime"], &of_times[..]),
            (["--line-before-sign-in", "--max-line", "--max-payload"], &of_sizes[..]),
            (["--max-message", "--backlog-soft", "--backlog-hard"], &of_sizes[..]),
            (["--max-groups", "--max-groups", "--max-groups"], &["0", "31", "", "-1", huge]),
            (["--strikes", "--strikes", "--strikes"], &["0", "256", "", "-1", huge]),
            (["--failed-calls", "--failed-calls", "--failed-calls"], &["256", "", "-1"]),
            (["--renames", "--renames", "--renames"], &["5", "0:1s", "5:", "5:0s", "5:ten", ""]),
            (["--keepalive", "--keepalive", "--keepalive"], &["5s", "1d", "", "-1s", "x", huge]),
            (["--silence", "--silence", "--silence"], &["-1s", "", "x", huge]),
        ];
        for (options, values) in rows {
            for option in options {
                for value in values {
                    let given = format!("{option}={value}");
                    let error = parse(&[&given]).map(|_| given).unwrap_err();
                    assert!(error.contains(option), "{error}");
                }
            }
        }
        let control = parse(&["--changes=\u{1b}[2J"]).map(|_| ()).unwrap_err();
        assert!(control.contains("a rate is N or N:M"), "{control}");
    }

    #[test]
    fn limits_that_contradict_each_other_are_refused() {
        for (args, word) in [
            (["--backlog-soft", "5000", "--backlog-hard", "4999"], "--backlog-soft"),
            (["--backlog-hard", "70000", "--max-message", "70000"], "71024"),
        ] {
            let error = parse(&args).unwrap().to_limits().unwrap_err();
            assert!(error.contains(word), "{error}");
        }
        let just = ["--backlog-soft", "5000", "--backlog-hard", "5000", "--max-message", "3976"];
        assert!(parse(&just).unwrap().to_limits().is_ok());
    }
}
