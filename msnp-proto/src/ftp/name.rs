//! Names of files: made harmless when they come from a stranger, made fit to be offered when they
//! are our own. Nothing here looks at a file system.

use alloc::string::String;

/// Most bytes of a name that was made safe.
const MOST: usize = 200;

/// A longer ending is not taken for one that says what a file is.
const LONGEST_ENDING: usize = 32;

/// What an empty name becomes.
const NAMELESS: &str = "file";

/// A name for a file that a stranger named so: one that stays in the folder where it is put, on any
/// system, and that shows what it is.
///
/// Control characters and those that turn the direction of writing are dropped. Only what stands
/// behind the last `/`, `\` or `:` is kept. What some system takes for something else becomes `_`;
/// blanks and dots at the ends go; names of devices get a `_` in front. The name has 1 to 200 bytes
/// and keeps its ending. Percent signs are only characters.
///
/// Whether there is such a file already is for the caller to find out.
///
/// ```
/// use msnp_proto::ftp::safe_name;
///
/// assert_eq!(safe_name("notes 2003.txt"), "notes 2003.txt");
/// assert_eq!(safe_name("..\\..\\x.exe"), "x.exe");
/// assert_eq!(safe_name("photo.jpg\u{202E}gpj.exe"), "photo.jpggpj.exe");
/// assert_eq!(safe_name("/"), "file");
/// ```
#[must_use]
pub fn safe_name(name: &str) -> String {
    let visible = name.chars().filter(|c| !c.is_control() && !turns_direction(*c));
    let visible: String = visible.collect();
    let base = visible.rsplit(['/', '\\', ':']).next().unwrap_or_default();
    let mut safe = String::with_capacity(base.len().saturating_add(1));
    for c in trim(base).chars() {
        safe.push(if matches!(c, '<' | '>' | '"' | '|' | '?' | '*') { '_' } else { c });
    }
    if is_device(&safe) {
        safe.insert(0, '_');
    }
    shorten(&mut safe, MOST);
    if safe.is_empty() { String::from(NAMELESS) } else { safe }
}

/// Whether a file of that name is run when it is opened, on the systems of these clients: to be
/// shown beside the name.
///
/// ```
/// use msnp_proto::ftp::is_executable;
///
/// assert!(is_executable("photo.jpg.EXE") && !is_executable("exe") && !is_executable("a.txt"));
/// ```
#[must_use]
pub fn is_executable(name: &str) -> bool {
    const ENDINGS: [&str; 36] = [
        "app", "bat", "chm", "cmd", "com", "command", "cpl", "desktop", "dll", "exe", "gadget",
        "hta", "inf", "jar", "js", "jse", "lnk", "msc", "msi", "msp", "mst", "pif", "ps1", "py",
        "reg", "run", "scf", "scr", "sct", "sh", "url", "vb", "vbe", "vbs", "wsf", "wsh",
    ];
    let (_, ending) = trim(name).rsplit_once('.').unwrap_or_default();
    ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

/// The name under which a file is offered: without its folder and without control characters, at
/// most `limit` bytes.
pub(crate) fn offered_name(name: &str, limit: usize) -> String {
    let visible: String = name.chars().filter(|c| !c.is_control()).collect();
    let base = visible.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut offered = String::from(base.trim_matches(' '));
    shorten(&mut offered, limit);
    if offered.is_empty() { String::from(NAMELESS) } else { offered }
}

const fn turns_direction(c: char) -> bool {
    matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn trim(name: &str) -> &str {
    name.trim_matches([' ', '.'])
}

fn is_device(name: &str) -> bool {
    const DEVICES: [&str; 4] = ["CON", "PRN", "AUX", "NUL"];
    const NUMBERED: [&str; 2] = ["COM", "LPT"];
    let stem = name.split('.').next().unwrap_or_default().trim_end_matches(' ');
    let is = |device: &&str| stem.eq_ignore_ascii_case(device);
    DEVICES.iter().any(is)
        || stem.split_at_checked(3).is_some_and(|(device, number)| {
            matches!(number.as_bytes(), [b'1'..=b'9'])
                && NUMBERED.iter().any(|known| device.eq_ignore_ascii_case(known))
        })
}

/// Cuts a name before its ending, between two characters, so that it has at most `limit` bytes and
/// no blank or dot at its end.
fn shorten(name: &mut String, limit: usize) {
    let Some(over) = name.len().checked_sub(limit).filter(|over| *over > 0) else { return };
    let dot = name.rfind('.').filter(|dot| {
        let ending = name.len().saturating_sub(*dot);
        ending <= LONGEST_ENDING && over < *dot
    });
    let end = dot.unwrap_or(name.len());
    let mut start = end.saturating_sub(over);
    while !name.is_char_boundary(start) {
        start = start.saturating_sub(1);
    }
    if start == 0 {
        // Nothing but an ending would be left.
        start = floor(name, limit);
        name.truncate(start);
    } else {
        name.drain(start..end);
    }
    name.truncate(name.trim_end_matches([' ', '.']).len());
}

/// The last boundary between two characters that is not behind `at`.
fn floor(name: &str, mut at: usize) -> usize {
    while !name.is_char_boundary(at) {
        at = at.saturating_sub(1);
    }
    at
}
